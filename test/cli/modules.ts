// Loaded with --import before the program: writes the foreign packages and Node's
// own modules that were loaded to the file in PKG_TEST_MODULES, at exit.

import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const loaded = new Set<string>()

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url) ?? []
    if (name !== undefined) loaded.add(name)
    else if (resolved.url.startsWith('node:')) loaded.add(resolved.url)
    return resolved
  },
})

process.on('exit', () => writeFileSync(process.env.PKG_TEST_MODULES ?? '', [...loaded].join('\n')))
