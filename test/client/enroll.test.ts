import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { enroll, makeTlsKey } from '../../src/client/enroll.ts'
import { makeSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import { pinOf } from '../../src/http/tls-material.ts'
import { BROKEN, brokenServer, headAlone } from '../support/broken-answers.ts'
import { testPki } from '../support/pki.ts'

const body = (text: string) => (socket: { write(bytes: string): unknown }) =>
  socket.write(`HTTP/1.1 201 Created\r\nContent-Length: ${text.length}\r\n\r\n${text}`)

test.each([
  ...Object.entries(BROKEN),
  ['closes it after the head of its answer', headAlone] as const,
  ['answers what is no JSON', body('fig')] as const,
])('an enrolment at a node that %s fails, and does not wait for ever', async (_what, act) => {
  const { material } = await testPki()
  const broken = await brokenServer(act, { key: material.key, cert: material.chain })
  const code = `${pinOf(new X509Certificate(material.chain)).slice(0, 16)}.fig`
  const signing = openSigningKey(makeSigningKey())
  const enrolled = enroll({ origin: `https://localhost:${broken.port}`, code, tls: await makeTlsKey(), signing })
  await expect(enrolled.finally(broken.close)).rejects.toThrow()
  expect(broken.asked()).toBe(1)
})
