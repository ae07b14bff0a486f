import { expect, test } from 'vitest'
import { createWitnessClient } from '../../src/provenance/ask-witness.ts'
import type { VerifierKey } from '../../src/provenance/note.ts'
import { BROKEN, brokenServer, headAlone } from '../support/broken-answers.ts'

const key = (name: string, type: number): VerifierKey => ({
  ...{ name, id: new Uint8Array(4), type, publicKey: new Uint8Array(32) },
})

test.each([...Object.entries(BROKEN), ['closes it after the head of its answer', headAlone] as const])(
  'a witness that %s is missing, and nobody waits for it',
  async (_what, act) => {
    const broken = await brokenServer(act)
    const client = createWitnessClient(
      `http://127.0.0.1:${broken.port}`,
      key('fig.example', 4),
      key('log.example', 1),
      20_000,
    )
    const missing = { outcome: 'missing', reason: 'unreachable' }
    const offer = { note: 'a note', text: 'a text', size: 1n, old: 0n, now: new Date(), proof: async () => [] }
    try {
      expect(await client.latest()).toEqual(missing)
      expect(await client.ask(offer)).toEqual(missing)
    } finally {
      client.close()
      await broken.close()
    }
  },
)
