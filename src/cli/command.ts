// What a command is. Its module declares options, does the work and turns the
// result into text; it never prints and never exits: main does, in one place.

import type { Argv } from 'yargs'
import type { Context } from './context.ts'
import type { Style } from './show/output.ts'

/** `dry-run` as yargs hands it over: `dryRun`. */
type Camel<Name> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name

/** A command's own arguments, and the words after `--`. */
type Parsed<A> = { [Name in keyof A as Camel<Name>]: A[Name] } & { '--'?: string[] }

export type Command<A = object, R = unknown> = {
  /** Positionals, options and examples. */
  options(argv: Argv): Argv<A>
  /** Does it. What it returns is what `--json` prints: a record, with `cid` where a DAG was made or named. */
  run(args: Parsed<A>, context: Context): Promise<R>
  /**
   * Where the result is one thing: what else there is to say of it, for standard error, so that
   * `x=$(pkg …)` takes the thing alone. Such a command has `brief` in place of `render`.
   */
  about?(result: R, style: Style, args: Parsed<A>): string | undefined
  /** The result for people; no newline at the end. Undefined: nothing to say. In pieces where it is long (cli/show/long-list.ts). */
  render?(result: R, style: Style, args: Parsed<A>): string | Iterable<string> | undefined
  /** What `--quiet` leaves: the one thing a script wants, such as a CID. */
  brief?(result: R): string | Iterable<string> | undefined
  /** True when standard output carries bytes and no record; errors then go to standard error, also under `--json`. */
  streams?(args: Parsed<A>): boolean
  /** What is left behind by an interrupted run, and what becomes of it. */
  afterInterrupt?: string
  /** The exit status of a result that is no error and yet not all well. 0 without it. */
  exitStatus?(result: R): number
}

/** Lets the types of arguments and result follow from the definition. */
export function defineCommand<A, R>(command: Command<A, R>): Command<A, R> {
  return command
}
