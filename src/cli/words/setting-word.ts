/** The setting that a `config` command is about, for its options. */
export const SETTING = {
  type: 'string',
  demandOption: true,
  describe: 'As `pkg config list` shows it',
} as const
