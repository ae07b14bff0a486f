import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { folderLog, nodeLog, webLog } from '../../src/client/log-source.ts'
import { createTransport } from '../../src/client/transport.ts'
import { LogFault, type LogSource, LogUnreadable } from '../../src/provenance/log-source.ts'
import { testPki } from '../support/pki.ts'
import { type Answerer, closeServers, identityOf, json, serve } from './server.ts'

const PEARS = Buffer.from('pears')
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const one of cleanUp.splice(0)) await one()
  await closeServers()
})

const outcomeOf = (source: LogSource, path: string, most: number): Promise<string> =>
  source.read(path, most).then(
    (data) => (data === undefined ? 'nothing' : Buffer.from(data).toString()),
    (error: unknown) => {
      if (error instanceof LogFault) return `${error.kind} ${error.path}`
      return error instanceof LogUnreadable ? 'unreadable' : String(error)
    },
  )

describe('a folder', () => {
  let dir: string
  let source: LogSource
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'aldis-source-'))
    cleanUp.push(() => rmSync(dir, { recursive: true }))
    mkdirSync(join(dir, 'tile'))
    writeFileSync(join(dir, 'tile', '000'), PEARS)
    source = folderLog(dir)
  })

  test('gives what is there, up to the limit', async () => {
    expect(await outcomeOf(source, 'tile/000', 5)).toBe('pears')
    expect(await outcomeOf(source, 'tile/000', 4)).toBe('oversize tile/000')
  })
  test('has nothing where no file is, nor below a file', async () => {
    expect(await outcomeOf(source, 'tile/001', 5)).toBe('nothing')
    expect(await outcomeOf(source, 'tile/000/000', 5)).toBe('nothing')
    expect(await outcomeOf(folderLog(join(dir, 'none')), 'checkpoint', 5)).toBe('nothing')
  })
  test('cannot tell where a folder stands for a file', async () => {
    expect(await outcomeOf(source, 'tile', 65_536)).toBe('unreadable')
  })
  test.skipIf(process.getuid?.() === 0)('cannot tell where it may not look', async () => {
    chmodSync(join(dir, 'tile', '000'), 0)
    expect(await outcomeOf(source, 'tile/000', 5)).toBe('unreadable')
  })
})

describe('a web server', () => {
  async function serving(answer: (path: string, response: ServerResponse) => unknown): Promise<string> {
    const server: Server = createServer((request, response) => void answer(request.url ?? '', response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUp.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('is asked below its address, with or without a slash at the end', async () => {
    const origin = await serving((path, response) => response.end(path))
    for (const address of [`${origin}/a/log`, `${origin}/a/log/`])
      expect(await outcomeOf(webLog(address), 'tile/0/000.p/7', 100)).toBe('/a/log/tile/0/000.p/7')
  })
  test('gives no more than the limit, whatever it says or sends', async () => {
    const origin = await serving((path, response) => {
      if (path.endsWith('endless')) {
        const more = () => void response.write(Buffer.alloc(65_536), () => !response.destroyed && setImmediate(more))
        more()
      } else response.end(PEARS)
    })
    expect(await outcomeOf(webLog(origin), 'pears', 5)).toBe('pears')
    expect(await outcomeOf(webLog(origin), 'pears', 4)).toBe('oversize pears')
    expect(await outcomeOf(webLog(origin), 'endless', 1_000_000)).toBe('oversize endless')
  })
  test.for<[status: number, outcome: string]>([
    [404, 'nothing'],
    [302, 'unreadable'],
    [403, 'unreadable'],
    [500, 'unreadable'],
    [204, 'unreadable'],
  ])('that answers %i: %s', async ([status, outcome]) => {
    const origin = await serving((_, response) => response.writeHead(status, { location: '/elsewhere' }).end())
    expect(await outcomeOf(webLog(origin), 'checkpoint', 100)).toBe(outcome)
  })
  test('that hangs up, or is not there, tells nothing', async () => {
    const origin = await serving((_, response) => response.destroy())
    expect(await outcomeOf(webLog(origin), 'checkpoint', 100)).toBe('unreadable')
    expect(await outcomeOf(webLog('http://127.0.0.1:1'), 'checkpoint', 100)).toBe('unreadable')
  })
})

describe('a node', () => {
  async function asking(answer: Answerer): Promise<{ source: LogSource; paths: () => string[] }> {
    const pki = await testPki()
    const server = await serve(pki, answer)
    const transport = createTransport(server.origin, identityOf(await pki.participant('aspen')))
    cleanUp.push(() => transport.close())
    return { source: nodeLog({ transport, log: 1 }), paths: () => server.requests.map(({ path }) => path) }
  }
  const problem = (status: number): Answerer => {
    const body = { code: 'not-found', title: 'A title of more than a few characters', status }
    return (_, response) => json(response, body, status)
  }

  test('is asked below the address of its log', async () => {
    const { source, paths } = await asking((_, response) => response.end(PEARS))
    expect(await outcomeOf(source, 'tile/0/000.p/7', 5)).toBe('pears')
    expect(await outcomeOf(source, 'checkpoint', 4)).toBe('oversize checkpoint')
    expect(paths()).toEqual(['/provenance/1/tile/0/000.p/7', '/provenance/1/checkpoint'])
  })
  test('that has nothing there says so, however short the file would be', async () => {
    expect(await outcomeOf((await asking(problem(404))).source, 'tile/0/000.p/1', 32)).toBe('nothing')
  })
  test('that refuses tells nothing', async () => {
    expect(await outcomeOf((await asking(problem(403))).source, 'checkpoint', 100)).toBe('unreadable')
  })
})
