#!/bin/sh
# Upgrades a program, tries it, and goes back when it does not work: for a cron job
# or a deployment. A switch is one rename, so nobody sees a half-done upgrade.
#
#   upgrade-or-roll-back.sh esbuild 'esbuild --version'
set -eu

package=$1
check=$2
bin=$HOME/.pkg-profile/bin

before=$(pkg upgrade "$package" --dry-run --json | sed -n 's/^  "previous": \([0-9]*\).*/\1/p')
after=$(pkg upgrade "$package" --quiet)
if [ "$after" = "$before" ]; then
  echo "$package is up to date"
elif PATH=$bin:$PATH sh -c "$check"; then
  echo "$package works: generation $after"
else
  pkg rollback --to "$before" --quiet >/dev/null
  echo "$package failed its check: back at generation $before" >&2
  exit 1
fi
