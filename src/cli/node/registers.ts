import { type Command, Option } from 'commander'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { GOVERNMENT_OUTCOMES, HOLD_KINDS } from '../../participants/action.ts'
import type { Parts } from '../../parts.ts'
import { GOVERNMENT_KINDS, type GovernmentKind, HOLD_REASONS } from '../../registers/schema.ts'
import { instantIn } from '../../reports/period.ts'
import { columns, outputOf } from '../output.ts'
import { wholeOption } from '../whole-option.ts'
import { type By, propose } from './acts.ts'
import { idOf } from './ids.ts'
import { withParts } from './open.ts'

/** What is kept for how long and what goes next, legal holds, and the registers of governance. */
export function registerCommands(program: Command): void {
  retention(program)
  government(program)
  program
    .command('subject-requests')
    .description('what persons ask by right, and when it is due; the console works on them')
    .action(async (_options: object, command: Command) => {
      const requests = await withRegisters(({ subjects }) => subjects.list())
      const rows = requests.map(({ id, kind, dueAt, closed }) => [
        id,
        kind,
        dueAt.toISOString(),
        closed?.outcome ?? 'open',
      ])
      outputOf(command).data({ requests }, rows.length === 0 ? 'nobody has asked for anything' : columns(rows))
    })
}

function retention(program: Command): void {
  const retention = program
    .command('retention')
    .description('what the next purge takes, by type and source, and what legal holds keep from it')
    .action(async (_options: object, command: Command) => {
      const { preview, holds } = await withParts(async (parts) => {
        const { createRetention, registersOf } = await oversightOfNode()
        return { preview: await createRetention(parts).preview(), holds: await registersOf(parts).holds.list() }
      })
      const rows = [
        ...preview.reads.map(({ participant, n, kept }) => ['reads', participant, n, kept ? 'held' : '']),
        ...preview.signals.map(({ source, type, n }) => [`${type}, within a day`, source, n, '']),
        ...preview.uploads.map(({ participant, n }) => ['uploads', participant, n, '']),
        ...preview.requests.map(({ participant, n }) => ['listed requests', participant, n, '']),
        ...(preview.refusals.n > 0 ? [['refused connections', '-', preview.refusals.n, '']] : []),
        ...holds
          .filter(({ liftedAt }) => liftedAt === undefined)
          .map(({ id, what, reason }) => [`hold ${id}`, what, reason, 'placed']),
      ]
      outputOf(command).data(
        { preview, holds },
        rows.length === 0 ? 'nothing is due' : columns(rows.map((row) => row.map(String))),
      )
    })
  retention
    .command('hold <participant>')
    .description('ask to keep what an organisation read, what it shared, or both; another person approves it')
    .addOption(new Option('--what <what>').choices([...HOLD_KINDS]).default('all'))
    .addOption(new Option('--reason <code>').choices([...HOLD_REASONS]).makeOptionMandatory())
    .requiredOption('--by <person>', 'id of who asks')
    .action((participant: string, { by, what, reason }: By & { what: string; reason: string }, command: Command) =>
      propose(command, { action: 'hold.place', by, payload: { participant, what, reason } }),
    )
  retention
    .command('lift <hold>')
    .description('ask to lift a hold')
    .requiredOption('--by <person>', 'id of who asks')
    .action((hold: string, { by }: By, command: Command) =>
      propose(command, { action: 'hold.lift', by, payload: { hold } }),
    )
}

/** Things that a request may ask for. */
const MOST = 1_000_000_000

interface Received extends By {
  country: string
  kind: string
  asked: number
  basis: string
  reference: string
  received: string
}

function government(program: Command): void {
  const register = program
    .command('government')
    .description('requests of authorities: who asked for how much by which law, and what came of it; never data')
    .action(async (_options: object, command: Command) => {
      const requests = await withRegisters((registers) => registers.government.list())
      const rows = requests.map(({ id, country, kind, asked, basis, closed }) => [
        ...[id, country, kind, String(asked), basis],
        closed === undefined ? 'open' : `${closed.outcome}, ${closed.n}`,
      ])
      outputOf(command).data({ requests }, rows.length === 0 ? 'no authority has asked' : columns(rows))
    })
  register
    .command('receive')
    .description('enter a request')
    .requiredOption('--country <code>', 'two letters, such as IE')
    .addOption(new Option('--kind <kind>').choices([...GOVERNMENT_KINDS]).makeOptionMandatory())
    .requiredOption('--asked <n>', 'how many things it asks for', wholeOption(0, MOST))
    .requiredOption('--basis <code>', 'of the law, such as dsa_art_10')
    .requiredOption('--reference <text>', "of the authority's file, never a person")
    .requiredOption('--received <day>', 'such as 2026-11-20')
    .requiredOption('--by <person>', 'id of somebody of governance')
    .action((options: Received, command: Command) => receive(command, options))
  register
    .command('close <request>')
    .description('ask to close a request; another person approves it, and everybody may read what came of it')
    .addOption(new Option('--outcome <code>').choices([...GOVERNMENT_OUTCOMES]).makeOptionMandatory())
    .requiredOption('--given <n>', 'how many things were given out', wholeOption(0, MOST))
    .requiredOption('--by <person>', 'id of who asks')
    .action((request: string, { by, outcome, given }: By & { outcome: string; given: number }, command: Command) =>
      propose(command, { action: 'government.close', by, payload: { request, outcome, n: given } }),
    )
}

async function receive(command: Command, { by, received, asked, ...of }: Received): Promise<void> {
  const time = instantIn(received)
  if (Number.isNaN(time) || !/^[A-Z]{2}$/.test(of.country) || !/^[a-z][a-z0-9_]{1,62}$/.test(of.basis))
    throw new Refusal('validation-failed', {
      detail: 'the country has two letters, the basis is a code, received a day',
    })
  const person = idOf(by)
  const id = await withParts(async (parts) => {
    await expectGovernance(parts, person)
    const { registersOf } = await oversightOfNode()
    const request = { ...of, kind: of.kind as GovernmentKind, asked, receivedAt: new Date(time) }
    return registersOf(parts).government.receive(person, request)
  })
  outputOf(command).data({ request: id }, id)
}

/** As the console has it. */
export async function expectGovernance({ participants }: Parts, person: Uuid): Promise<void> {
  const known = (await participants.listPeople()).find(({ person_id }) => person_id === person)
  if (known?.roles.includes('governance') !== true) throw new Refusal('person-unknown')
}

/** Read when they run. */
const oversightOfNode = async () => ({
  ...(await import('../../registering.ts')),
  ...(await import('../../retention.ts')),
})

type Registers = ReturnType<Awaited<ReturnType<typeof oversightOfNode>>['registersOf']>

export const withRegisters = <T>(work: (registers: Registers) => Promise<T>): Promise<T> =>
  withParts(async (parts) => work((await oversightOfNode()).registersOf(parts)))
