import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { describe, expect, test } from 'vitest'
import { SandboxPage, type SandboxView } from '../../../src/console/pages/sandbox.tsx'
import { newId } from '../../../src/kernel/ids.ts'
import { CONFORMANCE_STEPS, type ConformanceSteps } from '../../../src/sandbox/schema.ts'

const NOW = new Date('2026-11-27T12:00:00Z')
const steps = (failed?: string): ConformanceSteps =>
  Object.fromEntries(CONFORMANCE_STEPS.map((step) => [step, step === failed ? 'fail' : 'pass'])) as ConformanceSteps
const run = (failed?: string) => ({
  ...{ run: newId(NOW), at: NOW.toISOString(), passed: failed === undefined, steps: steps(failed) },
})
const html = (change: Partial<SandboxView> = {}): string =>
  renderToString(
    SandboxPage({
      ...{ isOpen: true, runs: [], now: NOW, ...change },
      viewer: {
        ...{ person: newId(NOW), organisation: 'apple', pseudonym: '4F2Q', roles: ['partner_admin'], authTime: NOW },
        ...{ steppedUp: false, csrf: 'token' },
      },
    }) as VNode,
  )

describe('the sandbox', () => {
  test('is said to be none where the node is none, and how one is asked for', () => {
    const closed = html({ isOpen: false })
    expect(closed).toContain('This node is no sandbox')
    expect(closed).toContain('SANDBOX=on')
    expect(closed).not.toContain('<form')
  })
  test('lists runs with the outcome of each step, the newest open', () => {
    const shown = html({ isOpen: false, runs: [run(), run('webhook_answered')] })
    expect(shown.match(/<details[^>]*>/g)?.map((tag) => tag.includes(' open'))).toEqual([true, false])
    expect(shown).toContain('failed: 9 of 10 steps passed')
    expect(shown.match(/>failed</g)).toHaveLength(1)
  })
})
