// What several commands about registries are told in the same words.

/** Whether the registries are looked at first. */
export const UPDATE = {
  type: 'boolean',
  default: true,
  describe: 'Look at the registries first; --no-update takes what is known of them',
} as const

/** The registry that is written. */
export const OWN_REGISTRY = {
  type: 'string',
  demandOption: true,
  requiresArg: true,
  describe: 'The registry’s directory',
} as const
