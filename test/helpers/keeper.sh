#!/bin/sh
# Outlives a test process, however that ends: reads the directories that it made, and once it is gone
# (its end of the pipe closes) takes away what it could not: mounts, daemons, the directories.
trap '' INT TERM HUP
directories=
while read -r one; do directories="$directories $one"; done

unmount() {
  awk -v below="$1/" 'index($2, below) == 1 { print $2 }' /proc/mounts | while read -r point; do
    umount -l "$point" || fusermount -uz "$point"
  done
}

# Daemons first: they would start their mount servers again.
end() {
  find "$1" -xdev -maxdepth 5 -path "*/var/$2" -type f | while read -r file; do
    read -r pid <"$file" && kill -9 "$pid"
  done
}

for one in $directories; do
  [ -d "$one" ] || continue
  unmount "$one"
  end "$one" daemon.pid
  end "$one" mount.pid
  unmount "$one"
  chmod -R u+w "$one"
  rm -rf --one-file-system "$one"
done >/dev/null 2>&1
