// A disk whose power can be cut: a file system in a file. Cutting is ext4's own
// shutdown (EXT4_IOC_SHUTDOWN with NOLOGFLUSH): nothing is written after it, not even
// the journal, and mounting it again replays what there is, as after a power failure.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findSystemCommand } from '../../src/files/system-command.ts'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'

/** EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH (linux/ext4 headers). Node has no ioctl(2). */
const CUT = 'open(F, "<", $ARGV[0]) or die $!; my $how = pack("L", 2); ioctl(F, 0x8004587D, $how) or die $!'

/** Why there is no such disk here; false where there is one. */
export const NO_DISK = reason()

function reason(): string | false {
  if (process.getuid?.() !== 0) return 'only root can mount a disk to cut its power'
  for (const name of ['mkfs.ext4', 'losetup', 'mount', 'umount', 'unshare', 'perl']) {
    if (findSystemCommand(name) === undefined) return `there is no ${name}, which a disk to cut takes`
  }
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices, which a disk to cut takes'
  // Refused in a container without the right to, and in a chroot whose root is no mount point.
  const own = spawnSync('unshare', ['--mount', 'true'])
  return own.status === 0 ? false : `no mounts of one's own here: ${own.stderr}`.trim()
}

export type Disk = {
  /** where it is mounted, while it is */
  readonly directory: string
  mount(options?: string): void
  /** From now on nothing reaches the disk, and every process is told so. */
  cut(): void
  /** Returns when the kernel has let go of it: who mounted it before that would get the dead one again. */
  unmount(): Promise<void>
}

/**
 * An empty disk, not mounted yet; it is gone when the test ends. For a process with a
 * mount namespace of its own: a copy of the mount in somebody else's would keep the dead
 * file system alive, and have it write to the image when the next one is at it.
 */
export async function makeDisk(t: Owner, { mib = 256 } = {}): Promise<Disk> {
  const hooks: (() => unknown)[] = []
  // Unmounted before the directory is removed: hooks run in the order of their registration.
  t.after(() => hooks.forEach((hook) => void hook()))
  const home = await temporaryDirectory(t)
  const image = join(home, 'image')
  const directory = join(home, 'disk')
  mkdirSync(directory)
  run('truncate', '-s', `${mib}M`, image)
  run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,nodiscard', '-N', '32768', image)
  let mounted = false
  hooks.push(() => mounted && run('umount', '--lazy', directory))
  return {
    directory,
    mount(options = 'defaults') {
      run('mount', '-o', `loop,${options}`, image, directory)
      mounted = true
    },
    cut: () => void run('perl', '-e', CUT, directory),
    async unmount() {
      run('umount', directory)
      mounted = false
      for (let tries = 0; run('losetup', '--associated', image) !== ''; tries++) {
        if (tries > 1000) throw new Error(`somebody else still has ${image} mounted`)
        await delay(10)
      }
    },
  }
}

const command = (name: string) => findSystemCommand(name) ?? name

function run(name: string, ...args: string[]): string {
  return execFileSync(command(name), args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
}
