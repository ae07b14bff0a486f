import { describe, expect, test } from 'vitest'
import { explore } from '../proof/explore.ts'
import { CONTROLS, RUNS } from '../proof/runs.ts'

// `npm run proof` explores more of the same.
describe('outbox to checkpoint, crashes and rollbacks anywhere: in every state the claims hold', () => {
  for (const { name, model, small, claims } of RUNS)
    test(name, () => expect(explore({ ...model, ...small }, claims).violation).toBeUndefined())
})

describe('the exploration finds what is built wrongly', () => {
  for (const { name, model, claim } of CONTROLS)
    test(name, () => expect(explore(model, [claim]).violation?.claim).toBe(claim))
})
