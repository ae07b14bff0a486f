import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toHex } from '../kernel/bytes.ts'
import { StartRefused } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { Href } from './links.ts'
import { type Module, readModules, relinked } from './modules.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Browser modules are compiled; run from its source, the console takes them from the build. */
const COMPILED = HERE.includes(join('dist', 'src')) ? join(HERE, 'client') : join(HERE, '../../dist/src/console/client')

/** The only files of others that a page may load; the modules of others are named in `modules.ts`. */
const VENDOR: Readonly<Record<string, string>> = { 'htmx.js': 'htmx.org/dist/htmx.min.js' }

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface Asset {
  type: string
  body: Buffer
}

/** Everything that pages load, in memory, under names that change with the content. */
export interface Assets {
  /** The address of a file; a name that is not there is a mistake in a page. */
  href(name: string): Href
  find(fileName: string): Asset | undefined
}

/** Reads every file once. Names in imports are replaced by those that are served, so that a cache never mixes two builds. */
export function loadAssets(): Assets {
  const linked = modules()
  const sources = new Map<string, Buffer>([
    ...styles(),
    ...vendored(),
    ...[...linked].map(([name, { body }]): [string, Buffer] => [name, body]),
  ])
  const served = new Map<string, Asset>()
  const hrefs = new Map<string, Href>()
  const place = (name: string): Href => {
    const known = hrefs.get(name)
    if (known !== undefined) return known
    const source = sources.get(name)
    if (source === undefined) throw new Error(`a page asks for ${name}, which is none of the console's files`)
    const imports = linked.get(name)?.imports
    const body = imports === undefined ? source : relinked(source, (specifier) => placed(imports.get(specifier)))
    const [stem, extension] = [name.slice(0, -extname(name).length), extname(name)]
    const fileName = `${stem}.${toHex(sha256(body)).slice(0, 16)}${extension}`
    served.set(fileName, { type: TYPES[extension] ?? 'application/octet-stream', body })
    hrefs.set(name, `/assets/${fileName}`)
    return `/assets/${fileName}`
  }
  const placed = (name: string | undefined): Href | undefined => (name === undefined ? undefined : place(name))
  for (const name of sources.keys()) place(name)
  return {
    href: (name) => {
      const href = hrefs.get(name)
      if (href === undefined) throw new Error(`a page asks for ${name}, which is none of the console's files`)
      return href
    },
    find: (fileName) => served.get(fileName),
  }
}

const styles = (): [string, Buffer][] => filesIn(join(HERE, 'assets'), ['.css', '.svg'])

function modules(): ReadonlyMap<string, Module> {
  if (!existsSync(COMPILED)) throw new StartRefused("the console's browser modules are not built: run npm run build")
  return readModules(COMPILED)
}

const filesIn = (folder: string, extensions: readonly string[]): [string, Buffer][] =>
  readdirSync(folder)
    .filter((name) => extensions.includes(extname(name)))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name))])

function vendored(): [string, Buffer][] {
  const { resolve } = createRequire(import.meta.url)
  return Object.entries(VENDOR).map(([name, specifier]) => [name, readFileSync(resolve(specifier))])
}
