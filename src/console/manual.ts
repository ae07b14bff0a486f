import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { Marked, type Tokens } from 'marked'
import { tagOf } from '../http/conditional.ts'

/** A page of the manual, rendered once. */
export interface ManualPage {
  /** As in its address, `guides/engineer`. */
  name: string
  title: string
  html: string
}

export interface ManualGroup {
  title: string
  pages: readonly ManualPage[]
}

export interface ManualImage {
  type: string
  body: Buffer
}

/** The repository's documents as a site. */
export interface Manual {
  groups: readonly ManualGroup[]
  page(name: string): ManualPage | undefined
  image(name: string): ManualImage | undefined
  /** The API's description, as the node serves it. */
  api(): unknown
  /** The same as bytes, under the name of their content (RFC 9110 section 8.8.3). */
  apiDocument(): { body: Buffer; etag: string }
}

/** Beside the compiled code, where the build puts them; beside the sources otherwise. */
const FOLDER = join(import.meta.dirname, '../../docs')

/** In the order in which they are read; what is named nowhere stands in the last group. */
const GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Begin', ['quickstart', 'guides/engineer', 'guides/analyst', 'guides/governance', 'architecture']],
  ['Integrate', ['partners', 'interop', 'bridge', 'formats', 'errors', 'limits']],
  ['Work', ['console', 'review', 'reports']],
  ['Operate', ['operating', 'settings', 'threat-model', 'benchmarks', 'performance']],
  ['Prove', ['provenance', 'audit', 'proof']],
]
const DECISIONS = 'Decisions'

const IMAGES: Readonly<Record<string, string>> = { '.svg': 'image/svg+xml', '.png': 'image/png' }

/** Reads and renders every document; a few hundred milliseconds, once for a process. */
export function loadManual(folder = FOLDER): Manual {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  const pages = new Map(
    names
      .filter((name) => name.endsWith('.md'))
      .map((file): [string, ManualPage] => {
        const name = file.slice(0, -'.md'.length)
        return [name, rendered(name, readFileSync(join(folder, file), 'utf8'))]
      }),
  )
  const images = new Map(
    names.flatMap((name): [string, ManualImage][] => {
      const type = name.startsWith('images/') ? IMAGES[extname(name)] : undefined
      return type === undefined
        ? []
        : [[name.slice('images/'.length), { type, body: readFileSync(join(folder, name)) }]]
    }),
  )
  const document = readFileSync(join(folder, 'openapi.json'))
  const api: unknown = JSON.parse(document.toString('utf8'))
  const etag = tagOf(document)
  return {
    groups: groupsOf(pages),
    page: (name) => pages.get(name),
    image: (name) => images.get(name),
    api: () => api,
    apiDocument: () => ({ body: document, etag }),
  }
}

function groupsOf(pages: ReadonlyMap<string, ManualPage>): ManualGroup[] {
  const named = new Set(GROUPS.flatMap(([, names]) => names))
  const pick = (names: readonly string[]): ManualPage[] => names.flatMap((name) => pages.get(name) ?? [])
  const decisions = [...pages.keys()].filter((name) => name.startsWith('decisions/') && name !== 'decisions/README')
  const others = [...pages.keys()].filter((name) => !named.has(name) && !name.startsWith('decisions/'))
  return [
    ...GROUPS.map(([title, names]) => ({ title, pages: pick(names) })),
    { title: 'More', pages: pick(others.sort()) },
    { title: DECISIONS, pages: pick(decisions.sort()) },
  ].filter((group) => group.pages.length > 0)
}

/** GitHub's own flavour; what is HTML in a document is shown as it is written, and not taken for any. */
function rendered(name: string, text: string): ManualPage {
  const headings = new Map<string, number>()
  const marked = new Marked({
    async: false,
    renderer: {
      html: ({ text: raw }) => escaped(raw),
      heading({ tokens, depth, text: words }) {
        // The title is the page's own.
        if (depth === 1) return ''
        return `<h${depth} id="${idOf(words, headings)}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens)
        const place = placeOf(name, href)
        return place === undefined ? inner : `<a href="${escaped(place)}">${inner}</a>`
      },
      image: ({ href, text: alt }) => imageOf(name, href, alt),
    },
  })
  const [first] = marked
    .lexer(text)
    .filter((token): token is Tokens.Heading => token.type === 'heading' && token.depth === 1)
  return { name, title: first?.text.replaceAll('`', '') ?? name, html: marked.parse(text, { async: false }) }
}

/** As GitHub names headings. */
function idOf(words: string, known: Map<string, number>): string {
  const base = words
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')
  const count = known.get(base) ?? 0
  known.set(base, count + 1)
  return count === 0 ? base : `${base}-${count}`
}

/** Where a link leads within the site, or outside of it; undefined for what is no page. */
function placeOf(from: string, href: string): string | undefined {
  if (/^https:\/\//.test(href)) return href
  if (href.startsWith('#')) return href
  const [path = '', anchor] = href.split('#')
  const within = pathFrom(from, path)
  if (within === 'openapi.json') return '/docs/api'
  if (within === undefined || !within.endsWith('.md')) return undefined
  const page = within.slice(0, -'.md'.length)
  return `/docs/${page === 'decisions/README' ? '' : page}${anchor === undefined ? '' : `#${anchor}`}`
}

function imageOf(from: string, href: string, alt: string): string {
  const within = pathFrom(from, href)
  return within?.startsWith('images/') === true
    ? `<img src="/docs/${escaped(within)}" alt="${escaped(alt)}" loading="lazy">`
    : escaped(alt)
}

/** A relative path from the folder of a page; undefined for what leads out of the documents. */
function pathFrom(page: string, path: string): string | undefined {
  const parts = page.split('/').slice(0, -1)
  for (const part of path.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? one)
