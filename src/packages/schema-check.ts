// Checks a JSON value against a JSON Schema that uses the few words listed in Schema below. The schema file is
// the one source of the rules; a general validator would cost every start of the program more than the check
// itself. A test holds this against ajv. Problems are told in the words of the schema's own descriptions.

export interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly description?: string
  readonly type?: string
  readonly const?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
}

export interface CheckOptions {
  /** What becomes of members that the schema does not know: refuse them, or ignore them. Default refuse. */
  readonly unknown?: 'refuse' | 'ignore'
}

/** The problems of `value`, each as "<where>: <what>"; an empty list when it fits. Never throws on any JSON value. */
export function checkSchema(root: Schema, value: unknown, options: CheckOptions = {}): string[] {
  const problems: string[] = []
  visit(root, value, '')
  return problems

  function visit(given: Schema, item: unknown, where: string): void {
    const schema = deref(root, given)
    const fail = (what: string) => problems.push(where === '' ? what : `${where}: ${what}`)
    const wanted = () => `is not ${schema.description ?? schema.type ?? 'what it should be'}`
    if ('const' in schema && item !== schema.const) {
      fail(`${shown(item)} ${wanted()}`)
    } else if (schema.type !== undefined && typeOf(item) !== schema.type) {
      fail(`must be ${schema.type === 'array' || schema.type === 'object' ? 'an' : 'a'} ${schema.type}`)
    } else if (typeof item === 'string') {
      if (!stringFits(schema, item)) fail(`${shown(item)} ${wanted()}`)
    } else if (Array.isArray(item)) {
      array(schema, item, where, fail)
    } else if (typeOf(item) === 'object') {
      object(schema, item as Record<string, unknown>, where, fail)
    }
  }

  function array(schema: Schema, items: unknown[], where: string, fail: (what: string) => void): void {
    if (items.length < (schema.minItems ?? 0)) fail(`has fewer than ${schema.minItems} items`)
    if (items.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) {
      fail(`has more than ${schema.maxItems} items`)
      return
    }
    if (schema.uniqueItems && new Set(items.map(comparable)).size < items.length)
      fail('names something twice')
    if (schema.items !== undefined) {
      for (const [index, item] of items.entries()) visit(schema.items, item, `${where}[${index}]`)
    }
  }

  function object(
    schema: Schema,
    item: Record<string, unknown>,
    where: string,
    fail: (what: string) => void,
  ): void {
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(item, name)) fail(`${JSON.stringify(name)} is missing`)
    }
    for (const [name, member] of Object.entries(item)) {
      const path = where === '' ? name : `${where}.${name}`
      const own = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined
      const patterns = Object.entries(schema.patternProperties ?? {}).filter(([text]) =>
        regExp(text).test(name),
      )
      if (own !== undefined) visit(own, member, path)
      for (const [, pattern] of patterns) visit(pattern, member, path)
      const known = own !== undefined || patterns.length > 0
      if (!known && schema.additionalProperties === false && options.unknown !== 'ignore') {
        fail(`has an unknown member ${shown(name)}`)
      }
    }
  }
}

// A $ref may have a description beside it, which then speaks for this place.
function deref(root: Schema, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')]
  if (target === undefined) throw new Error(`the schema has no ${schema.$ref}`)
  return { ...target, ...schema }
}

function stringFits(schema: Schema, text: string): boolean {
  // JSON Schema counts characters, not UTF-16 code units.
  const length = [...text].length
  if (length < (schema.minLength ?? 0) || length > (schema.maxLength ?? Number.POSITIVE_INFINITY))
    return false
  return schema.pattern === undefined || regExp(schema.pattern).test(text)
}

const compiled = new Map<string, RegExp>()

function regExp(text: string): RegExp {
  let found = compiled.get(text)
  if (found === undefined) {
    found = new RegExp(text, 'u')
    compiled.set(text, found)
  }
  return found
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function comparable(value: unknown): string {
  if (typeOf(value) !== 'object') return JSON.stringify(value)
  return JSON.stringify(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
