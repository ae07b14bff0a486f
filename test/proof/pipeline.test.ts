import { describe, expect, test } from 'vitest'
import { explore } from './explore.ts'
import { CONTROLS, FINDINGS, RUNS } from './runs.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const LONGEST_MS = 600_000

describe('in every state that can be reached the claims hold', () => {
  for (const { name, model, claims } of RUNS)
    test(
      name,
      () => {
        const begun = performance.now()
        const { states, depth, violation } = explore(model, claims)
        const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
        say(`${name}: ${states.toLocaleString('en')} states, ${depth} steps deep, ${seconds} s`)
        expect(violation).toBeUndefined()
      },
      LONGEST_MS,
    )
})

describe('what is built wrongly is found', () => {
  for (const { name, model, claim } of CONTROLS)
    test(name, () => {
      const { violation } = explore(model, [claim])
      say([`\n${name}: ${violation?.what}`, ...(violation?.trace ?? [])].join('\n  '))
      expect(violation?.claim).toBe(claim)
    })
})

describe('each of these rules is needed: without it a claim does not hold', () => {
  for (const { name, model, claim, repairs } of FINDINGS)
    test(name, () => {
      const { violation } = explore(model, [claim])
      say([`\n${name}: ${violation?.what}`, ...(violation?.trace ?? [])].join('\n  '))
      expect(violation?.claim).toBe(claim)
      expect(explore({ ...model, repairs }, [claim]).violation).toBeUndefined()
    })
})
