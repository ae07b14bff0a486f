import { expect, test } from 'vitest'
import { trustingFetch } from '../../src/console/trusting-fetch.ts'
import { BROKEN, brokenServer, headAlone } from '../support/broken-answers.ts'
import { testPki } from '../support/pki.ts'

test.each([...Object.entries(BROKEN), ['closes it after the head of its answer', headAlone] as const])(
  'an identity provider that %s has not answered, and holds up no sign-in',
  async (_what, act) => {
    const pki = await testPki()
    const { key, chain: cert } = pki.material
    const broken = await brokenServer(act, { key, cert })
    const asked = trustingFetch(pki.ca.root)(`https://localhost:${broken.port}/token`, { method: 'POST', body: 'a=b' })
    await expect(asked.finally(broken.close)).rejects.toMatchObject({ code: 'ECONNRESET' })
  },
)
