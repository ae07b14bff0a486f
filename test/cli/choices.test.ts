import { Command, CommanderError } from 'commander'
import { describe, expect, test } from 'vitest'
import { holderCommand } from '../../src/cli/holder/command.ts'
import { actCommands } from '../../src/cli/node/acts.ts'
import { caseCommands } from '../../src/cli/participant/cases.ts'
import { changeCommands } from '../../src/cli/participant/change.ts'
import { feedbackCommands } from '../../src/cli/participant/feedback.ts'
import { importCommand } from '../../src/cli/participant/import.ts'
import { lookupCommand } from '../../src/cli/participant/lookup.ts'
import { patternCommands } from '../../src/cli/participant/pattern.ts'
import { submitCommand } from '../../src/cli/participant/submit.ts'
import { witnessCommand } from '../../src/cli/witness/command.ts'
import { DISPUTE_RESULTS, GROUNDS, OUTCOME, OutcomeCounts, REASONS, VERDICTS } from '../../src/feedback/schema.ts'
import { ACTIONS } from '../../src/participants/action.ts'
import { PARTICIPANT_KIND, ROLES } from '../../src/participants/schema.ts'
import {
  BASIS,
  HANDLING_NUMBER,
  MEDIA_ALGORITHM,
  SEVERITY,
  SURFACE,
  TLP,
  WITHDRAWAL_REASON,
} from '../../src/signals/schema.ts'

const ID = '0195a1b2-0000-7000-8000-000000000001'

/** All commands, quiet; none of these calls comes as far as running one. */
function aldis(): { program: Command; told: string[] } {
  const told: string[] = []
  const keep = (text: string): unknown => told.push(text)
  const program = new Command('aldis').exitOverride().configureOutput({ writeOut: keep, writeErr: keep })
  for (const add of [feedbackCommands, caseCommands, changeCommands, lookupCommand, patternCommands]) add(program)
  for (const add of [submitCommand, importCommand, actCommands, holderCommand, witnessCommand]) add(program)
  return { program, told }
}

const given = (line: string): string[] => line.split(' ')

const REASON_WORDS = Object.values(REASONS).flat()
const work = ['--as', 'ann']
const closed: readonly (readonly [line: string, words: readonly string[]])[] = [
  [`feedback ${ID} pear`, Object.keys(OUTCOME)],
  [`feedback ${ID} outdated --reason pear`, REASON_WORDS],
  [`feedback ${ID} outdated --count pear=1`, Object.keys(OutcomeCounts.properties)],
  [`dispute open ${ID} --ground pear`, Object.keys(GROUNDS)],
  [`dispute answer ${ID} pear`, DISPUTE_RESULTS],
  ['cases list --state pear', ['open', 'held', 'awaiting_second', 'decided', 'closed', 'void']],
  [`cases decide ${ID} pear --reason law ${work.join(' ')}`, VERDICTS],
  [`cases decide ${ID} outdated --reason pear ${work.join(' ')}`, [...REASON_WORDS, 'other']],
  [`cases second ${ID} ${ID} pear ${work.join(' ')}`, ['approve', 'deny', 'retract']],
  [`withdraw ${ID} --reason pear`, WITHDRAWAL_REASON],
  [`revise ${ID} --severity pear`, SEVERITY],
  [`revise ${ID} --handling pear`, Object.keys(HANDLING_NUMBER)],
  [`revise ${ID} --tlp pear`, TLP],
  ['lookup - --purpose pear', ['enforcement', 'investigation', 'appeal']],
  ['pattern test - --basis pear', BASIS],
  ['submit - --surface pear', SURFACE],
  ['submit - --basis pear', BASIS],
  ['import - --format pear', ['csv', 'ndjson', 'stix', 'misp', 'hashes']],
  ['import - --algorithm pear', MEDIA_ALGORITHM],
  // Nobody proposes a review: it is asked for by the act.
  [`propose pear {} --by ${ID}`, Object.keys(ACTIONS).filter((action) => action !== 'emergency.review')],
  [`grant ${ID} pear --by ${ID}`, ROLES],
  [`admit fig --kind pear --name Fig --by ${ID}`, Object.keys(PARTICIPANT_KIND)],
]

describe('a word that is none of a closed set', () => {
  test.each(closed)('%s is wrong usage, and told which there are', async (line, words) => {
    const { program, told } = aldis()
    const fault = await program.parseAsync(given(line), { from: 'user' }).catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(CommanderError)
    expect(told.join('')).toContain('pear')
    for (const word of words) expect(told.join('')).toContain(word)
  })
})

describe('a key epoch of the holder', () => {
  test.each(['Fig', 'a/b', '-a', 'y'.repeat(64)])('%s is wrong usage', async (kid) => {
    const { program } = aldis()
    const line = ['oprf-holder', '--dir', 'd', '--origin', 'https://holder.example', '--kid', kid]
    await expect(program.parseAsync(line, { from: 'user' })).rejects.toBeInstanceOf(CommanderError)
  })
})

test('help names the words of every argument that takes no other', () => {
  const { program, told } = aldis()
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)]
  const closed = every(program).filter(({ registeredArguments: all }) => all.some(({ argChoices }) => argChoices))
  expect(closed.length).toBeGreaterThan(4)
  for (const command of closed) {
    told.length = 0
    command.outputHelp()
    const words = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
    for (const word of words) expect(told.join(''), command.name()).toContain(`"${word}"`)
  }
})

test('help shows no default that says nothing', async () => {
  const { program, told } = aldis()
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)]
  for (const command of every(program)) command.outputHelp()
  expect(told.join('').length).toBeGreaterThan(5_000)
  expect(told.join('')).not.toMatch(/default: (\{\}|\[\])/)
})
