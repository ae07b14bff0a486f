import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { pinOf } from '../../../src/http/tls-material.ts'
import { BROKEN, brokenServer } from '../../support/broken-answers.ts'
import { runCli } from '../../support/cli.ts'
import { testPki } from '../../support/pki.ts'

const dir = mkdtempSync(join(tmpdir(), 'aldis-enroll-'))
afterAll(() => rmSync(dir, { recursive: true }))

test('an enrolment whose answer never came says what to do, and leaves nothing but the signing key that it asked with', async () => {
  const { material } = await testPki()
  const broken = await brokenServer(BROKEN['closes the connection'], { key: material.key, cert: material.chain })
  const code = `${pinOf(new X509Certificate(material.chain)).slice(0, 16)}.fig`
  const at = `https://localhost:${broken.port}`
  const run = () => runCli(dir, 'enroll', code, '--enrol-at', at, '--node', at)
  const kept = () => readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')])
  const first = await run()
  expect([first.code === 0, first.says]).toEqual([false, expect.stringContaining('no answer came: run it again')])
  const before = kept()
  expect(before.map(([name]) => name)).toEqual(['enrol.signing.jwk'])
  await run()
  expect([kept(), broken.asked()]).toEqual([before, 2])
  await broken.close()
})

test('an enrolment that is refused says what to do where its signing key has ended', async () => {
  const { material } = await testPki()
  const server = createServer({ key: material.key, cert: material.chain }, (_, response) => {
    const problem = { code: 'policy-refused', title: 'Not allowed', status: 403, detail: 'this signing key has ended' }
    response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const code = `${pinOf(new X509Certificate(material.chain)).slice(0, 16)}.fig`
  const at = `https://127.0.0.1:${port}`
  const { says } = await runCli(dir, 'enroll', code, '--enrol-at', at, '--node', at)
  server.close()
  expect(says).toContain('this signing key has ended')
  expect(says).toContain('remove that file and run it again')
})
