import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, relative } from 'node:path'

/** Modules of others that those of ours may import in a browser: each a single file without imports. */
const VENDOR: Readonly<Record<string, string>> = { tldts: 'dist/index.esm.min.js', re2js: 'build/index.js' }

/** A module as it is served but for the names that it imports. */
export interface Module {
  body: Buffer
  /** By specifier, the module that is meant. */
  imports: ReadonlyMap<string, string>
}

/** A static import, an import that is called, and one of JSON with its attribute. */
const SPECIFIER = /(\bfrom |\bimport |\bimport\()(['"])([^'"\n]+)\2( with \{[^}\n]*\})?/g

/**
 * The compiled modules of a folder and everything that they bring along: others of ours from around it, JSON as a module, and
 * packages by the list above. Throws for a package that is not on it.
 */
export function readModules(folder: string): ReadonlyMap<string, Module> {
  const found = new Map<string, Module>()
  const read = (path: string): string => {
    const name = nameOf(folder, path)
    if (found.has(name)) return name
    const source = readFileSync(path, 'utf8')
    const isJson = extname(path) === '.json'
    const targets = isJson || isVendor(path) ? [] : targetsOf(source, path)
    const imports = new Map<string, string>()
    found.set(name, { body: Buffer.from(isJson ? `export default ${source}` : source), imports })
    for (const [specifier, target] of targets) imports.set(specifier, read(target))
    return name
  }
  for (const file of readdirSync(folder).sort()) if (extname(file) === '.js') read(join(folder, file))
  return found
}

/** Each specifier of a module, with the file that it means. */
const targetsOf = (source: string, path: string): [string, string][] =>
  [...source.matchAll(SPECIFIER)].map(([, , , specifier = '']) => [
    specifier,
    specifier.startsWith('.') ? join(dirname(path), specifier) : vendorPath(specifier, path),
  ])

/** The text with the names that are served; a source map would name what is not. */
export function relinked(source: Buffer, place: (specifier: string) => string | undefined): Buffer {
  const text = source
    .toString('utf8')
    .replaceAll(SPECIFIER, (whole, word: string, quote: string, specifier: string) => {
      const href = place(specifier)
      return href === undefined ? whole : `${word}${quote}${href}${quote}`
    })
    .replaceAll(/^\/\/# sourceMappingURL=.*$/gm, '')
  return Buffer.from(text)
}

const isVendor = (path: string): boolean => path.includes('node_modules')

function vendorPath(specifier: string, from: string): string {
  const file = VENDOR[specifier]
  if (file === undefined) throw new Error(`${from} asks for ${specifier}, which no page may load`)
  const { resolve } = createRequire(import.meta.url)
  const own = resolve(specifier)
  const root = own.slice(0, own.lastIndexOf(join('node_modules', specifier)) + join('node_modules', specifier).length)
  return join(root, file)
}

/** `keys.js` of the folder itself, `identifiers-url.js` from beside it, `tldts.js` of others. */
function nameOf(folder: string, path: string): string {
  if (dirname(path) === folder) return relative(folder, path)
  if (isVendor(path)) {
    const [vendor] = Object.entries(VENDOR).find(([name, file]) => path.endsWith(join(name, file))) ?? ['vendor']
    return `${vendor}.js`
  }
  const inner = relative(join(folder, '../../..'), path).replace(/^src\//, '')
  return `${inner.slice(0, -extname(inner).length).replaceAll('/', '-')}.js`
}
