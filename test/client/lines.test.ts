import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { linesOf, writeLines } from '../../src/client/lines.ts'

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const LINE = fc.string({ unit: fc.constantFrom('a', 'ä', '\u2028', '\u2029', '\u0085', '\r', '😀') })

test('a line ends at a newline and nowhere else, in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(LINE), fc.boolean(), fc.integer({ min: 1, max: 9 }), async (lines, ended, size) => {
      const text = ended ? lines.map((line) => `${line}\n`).join('') : lines.join('\n')
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(await Array.fromAsync(linesOf(piecesOf(Buffer.from(text), size)))).toEqual(expected)
    }),
  )
})

test('what the lines come from fails, and so do they', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('one\ntwo')
    throw new Error('gone')
  }
  const got: string[] = []
  await expect(async () => {
    for await (const line of linesOf(broken())) got.push(line)
  }).rejects.toThrow('gone')
  expect(got).toEqual(['one'])
})

test('a line that does not end is not waited for without end', async () => {
  const lines = (most: number) => Array.fromAsync(linesOf(piecesOf(Buffer.from('pear\nbanana'), 1), most))
  expect(await lines(6)).toEqual(['pear', 'banana'])
  await expect(lines(5)).rejects.toMatchObject({ name: 'AnswerTooLong' })
})

describe('lines that are sent', () => {
  let server: Server
  let sockets: Socket[]
  beforeEach(async () => {
    sockets = []
    server = createServer()
    server.on('connection', (socket) => sockets.push(socket))
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const asking = () =>
    request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, method: 'POST' }).on('error', () => {})

  /** Without end, until whoever reads lets go of it. */
  const endless = () => {
    const source = { line: 0, letGo: false }
    async function* lines(): AsyncGenerator<string> {
      try {
        for (;;) yield `${source.line++} ${'x'.repeat(65_536)}\n`
      } finally {
        source.letGo = true
      }
    }
    return { source, lines: lines() }
  }

  const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
  test.for([
    { how: 'broken off', end: (socket: Socket) => socket.destroy() },
    { how: 'closed without an error', end: (socket: Socket) => socket.write(UPGRADE) },
  ])('wait while nobody takes them, and let go of their source when the connection is $how', async ({ end }) => {
    // Taken by nobody: it fills what is between.
    server.on('request', (message) => message.pause())
    const out = asking()
    const { source, lines } = endless()
    const sent = expect(writeLines(out, lines)).rejects.toThrow('closed before all of it was sent')
    await once(server, 'request')
    await vi.waitUntil(() => source.line > 2 && out.writableNeedDrain)
    for (const socket of sockets) end(socket)
    await sent
    expect(source.letGo).toBe(true)
  })

  test('are not waited for on a connection that is closed already', async () => {
    server.on('request', (message) => message.socket.destroy())
    const out = asking()
    out.flushHeaders()
    await new Promise((resolve) => out.once('close', resolve))
    const { source, lines } = endless()
    await expect(writeLines(out, lines)).rejects.toThrow('closed before all of it was sent')
    expect(source.letGo).toBe(true)
  })

  test('all arrive in their order, and what they go to is left open', async () => {
    const got: Buffer[] = []
    server.on('request', (message, answer) => {
      message.on('data', (chunk: Buffer) => got.push(chunk))
      message.on('end', () => answer.end())
    })
    const out = asking()
    const lines = Array.from({ length: 40 }, (_, i) => `${i} ${'y'.repeat(20_000)}\n`)
    await writeLines(out, Readable.from(lines))
    expect(out.writableEnded).toBe(false)
    out.end()
    await once(out, 'response')
    expect(Buffer.concat(got).toString()).toBe(lines.join(''))
  })
})
