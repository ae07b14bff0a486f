import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { aProcessNode } from '../support/process-node.ts'

const LONG_MS = 120_000

test.for(['SIGTERM', 'SIGINT'] as const)(
  'a node that is told to end by %s while it starts leaves no database behind',
  { timeout: LONG_MS },
  async (signal) => {
    const node = await aProcessNode()
    try {
      node.begin()
      while (node.postmaster() === undefined) await delay(5)
      expect(await node.end(signal)).toBe(0)
      expect(node.postmaster()).toBeUndefined()
    } finally {
      await node.destroy()
    }
  },
)
