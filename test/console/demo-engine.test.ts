import { expect, test } from 'vitest'
import { engineOf } from '../../src/console/demo-engine.ts'
import { StartRefused } from '../../src/kernel/errors.ts'

test('where the library of the demonstration is not installed the start is refused, and says what is missing', async () => {
  const missing = engineOf(async (name) => import(`${name}-that-nobody-has`))
  await expect(missing).rejects.toThrow(StartRefused)
  await expect(missing).rejects.toThrow(/^CONSOLE_DEMO_PORT: .*oidc-provider, which is not installed/)
})

test('where it is there it is loaded', async () => {
  expect(await engineOf()).toBeTypeOf('function')
})
