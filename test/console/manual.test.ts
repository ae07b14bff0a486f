import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadManual, type Manual } from '../../src/console/manual.ts'
import type { Shell } from '../../src/console/parts/layout.tsx'
import { manualRoutes } from '../../src/console/routes/manual.tsx'
import { CATALOGUE, Refusal } from '../../src/kernel/errors.ts'

let manual: Manual
beforeAll(() => {
  manual = loadManual()
})

const pages = () => manual.groups.flatMap((group) => group.pages)
const hrefsIn = (html: string): string[] => [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, href = '']) => href)

describe('the manual', () => {
  test('has every document once, and the guides where they are looked for', () => {
    const names = pages().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThan(60)
    const [begin] = manual.groups
    expect(begin?.pages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['quickstart', 'guides/engineer', 'guides/analyst', 'guides/governance']),
    )
    expect(pages().filter(({ title }) => title === '')).toEqual([])
  })
  test('leads to nothing that is not there', () => {
    const dead = pages().flatMap(({ name, html }) =>
      hrefsIn(html)
        .filter((href) => !href.startsWith('https://') && !isThere(name, href))
        .map((href) => `${name}: ${href}`),
    )
    expect(dead).toEqual([])
  })
  test('takes nothing in a document for HTML', () => {
    const hostile = /<(script|style|iframe|object)|<[a-z]+(?:\s[a-z-]+="[^"]*")*\son[a-z]+=|="javascript:/i
    for (const { html } of pages()) expect(html).not.toMatch(hostile)
    const folder = mkdtempSync(join(tmpdir(), 'aldis-manual-'))
    const lines = [
      '# A',
      '<script>plum()</script>',
      '[a](javascript:plum()) ![b" onerror="plum()](images/x.svg)',
      '<b onclick=plum()>',
    ]
    writeFileSync(join(folder, 'a.md'), lines.join('\n\n'))
    writeFileSync(join(folder, 'openapi.json'), '{}')
    const { html = '' } = loadManual(folder).page('a') ?? {}
    rmSync(folder, { recursive: true })
    expect(html).toContain('plum')
    expect(html).not.toMatch(hostile)
  })
})

/** A page, with the heading that is named, or an image. */
function isThere(from: string, href: string): boolean {
  const [path = '', anchor] = href.split('#')
  if (path === '/docs/' || path === '/docs/api') return true
  if (path.startsWith('/docs/images/')) return manual.image(path.slice('/docs/images/'.length)) !== undefined
  const page = manual.page(path === '' ? from : path.slice('/docs/'.length))
  return page !== undefined && (anchor === undefined || page.html.includes(` id="${anchor}"`))
}

describe('the site', () => {
  const app = Fastify()
  beforeAll(async () => {
    const shell: Shell = {
      ...{ asset: (name) => `/assets/${name}`, now: new Date(0), programme: 'orchard', counts: {}, keys: {} },
      look: { theme: 'system', density: 'comfortable', keys: true } as unknown as Shell['look'],
      ...{ log: { size: 0n, witnesses: { wanted: 0, answering: 0 } }, idleSeconds: 0 },
    }
    app.decorateRequest('shell')
    app.addHook('onRequest', async (request) => {
      request.shell = shell
    })
    app.setErrorHandler((error, _request, reply) =>
      error instanceof Refusal ? reply.code(error.status).send(error.code) : reply.send(error),
    )
    await app.register(manualRoutes, { manual: () => manual })
  })
  const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })

  test('shows a document with what is around it', async () => {
    const { body, statusCode } = await get('/docs/guides/engineer')
    expect(statusCode).toBe(200)
    expect(body).toContain('aria-current="page"')
    expect(body).toContain('<h1>For the engineer of a platform</h1>')
    expect(body).not.toMatch(/style="|<script/)
  })
  test('has an index, a reference of the API and a page for each error', async () => {
    expect((await get('/docs')).body).toContain('href="/docs/operating"')
    const { body } = await get('/docs/api')
    for (const part of ['GET /v1/whoami', 'href="/docs/errors/scope-missing"', 'feed:read'])
      expect(body).toContain(part)
    for (const code of Object.keys(CATALOGUE)) expect((await get(`/docs/errors/${code}`)).statusCode, code).toBe(200)
    expect((await get('/problems/rate-limited')).headers.location).toBe('/docs/errors/rate-limited')
  })
  test('gives the description of the API to tools, once while it stays the same', async () => {
    const { headers, body } = await get('/docs/openapi.json')
    expect(JSON.parse(body)).toEqual(manual.api())
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
    })
    const again = await get('/docs/openapi.json', { 'if-none-match': String(headers['etag']) })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })
  test('gives out images, and nothing that is no document', async () => {
    expect((await get('/docs/images/log.svg')).headers['content-type']).toBe('image/svg+xml')
    for (const path of [
      'none',
      '../package',
      '..%2fpackage',
      'images/none.png',
      'errors/none',
      'openapi.json.md',
      'errors/toString',
    ])
      expect((await get(`/docs/${path}`)).statusCode, path).toBe(404)
    expect((await get('/problems/constructor')).statusCode).toBe(404)
  })
})
