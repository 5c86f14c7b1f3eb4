// Flushes the directories that links are in, before blocks go that a link kept: a
// power cut must not bring back a link whose blocks have gone.

import { statSync } from 'node:fs'
import { FEW_FILES, syncFiles, syncFilesystem } from '../files/barrier.ts'

/** One by one where they are few, else by the file systems that they are on. Those that are gone are passed over. */
export async function flushDirectories(directories: readonly string[]): Promise<void> {
  const onDevice = Map.groupBy(directories, (path) => statSync(path, { throwIfNoEntry: false })?.dev)
  onDevice.delete(undefined)
  for (const paths of onDevice.values()) {
    if (paths.length <= FEW_FILES) syncFiles(paths)
    else await syncFilesystem(paths[0] as string)
  }
}
