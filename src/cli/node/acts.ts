import { Argument, type Command, Option } from 'commander'
import { systemClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { ACTIONS, type ActionName, isAction } from '../../participants/action.ts'
import {
  EVALUATION_PURPOSES,
  OPRF_SUITE,
  PARTICIPANT_KIND,
  ROLES,
  type Role,
  SCOPES,
  SUITES,
} from '../../participants/schema.ts'
import { columns, outputOf } from '../output.ts'
import { wholeOption } from '../whole-option.ts'
import { idOf } from './ids.ts'
import { withParticipants, withParts } from './open.ts'
import { holderIn, jsonOf } from './payload.ts'
import { personOf } from './person.ts'

/** Everything that a platform needs and a partner of its kind may have. */
const PLATFORM_SCOPES = [
  ...['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'lookup:open', 'provenance:read'],
]

/** Acts that a person asks for; others ask for their review themselves. */
const PROPOSED = Object.entries(ACTIONS).flatMap(([name, { byAct = false }]) => (byAct ? [] : [name]))

/** People, requests and approvals. */
export function actCommands(program: Command): void {
  people(program)
  proposals(program)
  approvals(program)
}

function people(program: Command): void {
  program
    .command('people')
    .description('who administers, governs and reviews')
    .action(async (_options: object, command: Command) => {
      const listed = await withParticipants((service) => service.listPeople())
      const rows = listed.map(({ person_id, name, organisation, roles }) => [
        person_id,
        name,
        organisation,
        roles.join(' '),
      ])
      outputOf(command).data({ people: listed }, columns(rows))
    })

  program
    .command('person <name@organisation>')
    .description('add a person, who has no role yet')
    .requiredOption('--by <person>', 'id of the administrator')
    .action(async (name: string, { by }: By, command: Command) => {
      const { person_id } = await withParticipants((service) => service.addPerson(idOf(by), personOf(name)))
      outputOf(command).data({ person: person_id }, person_id)
    })

  program
    .command('grant <person>')
    .addArgument(new Argument('<role>', 'what the person may do').choices(ROLES))
    .description('a role of a partner; those of the node and of governance are proposed: role.grant')
    .requiredOption('--by <person>', 'id of the administrator')
    .action(async (person: string, role: string, { by }: By, command: Command) => {
      await withParticipants((service) => service.grantRole(idOf(by), { person: idOf(person), role: role as Role }))
      outputOf(command).data({ person, role }, `${role} granted`)
    })
}

export interface By {
  by: string
}

interface Admission extends By {
  name: string
  kind: string
  onboarding?: string
  probation?: number
}

interface Invitation extends By {
  label: string
  scopes: string
  readBack?: boolean
}

interface Epoch extends By {
  suite: string
  days?: string
  holder?: string
}

interface Quota extends By {
  purpose: string
  perDay: string
}

const OPRF_DAYS = 365
const HMAC_DAYS = 90

function proposals(program: Command): void {
  program
    .command('propose')
    .addArgument(new Argument('<action>', 'what is to be done').choices(PROPOSED))
    .argument('<payload>', 'JSON')
    .description('ask for an act that takes two persons')
    .requiredOption('--by <person>', 'id of who asks')
    .action((action: string, payload: string, { by }: By, command: Command) => {
      if (!isAction(action)) throw new Refusal('validation-failed', { detail: 'there is no such action' })
      return propose(command, { action, by, payload: jsonOf(payload) })
    })

  program
    .command('admit <slug>')
    .description('ask to admit a participant')
    .requiredOption('--name <name>', 'of the organisation')
    .addOption(new Option('--kind <kind>').choices(Object.keys(PARTICIPANT_KIND)).default('platform'))
    .option('--onboarding <id>', 'the checklist that it went through')
    .option('--probation <days>', 'how long it is looked at with more care', wholeOption(1, 365))
    .requiredOption('--by <person>', 'id of who asks')
    .action((slug: string, { name, kind, by, onboarding, probation }: Admission, command: Command) =>
      propose(command, {
        ...{ action: 'participant.admit', by },
        payload: {
          ...{ slug, name, kind },
          ...(onboarding !== undefined && { onboarding }),
          ...(probation !== undefined && { probation_days: probation }),
        },
      }),
    )

  program
    .command('invite <participant>')
    .description('ask for a one-time enrolment code; it is shown when the request is executed')
    .option('--label <label>', 'which system the credential is for', 'main')
    .option('--scopes <list>', `of ${SCOPES.join(',')}`, PLATFORM_SCOPES.join(','))
    .option('--read-back', 'the key works once its fingerprint was told by another way: aldis read-back')
    .requiredOption('--by <person>', 'id of who asks')
    .action((participant: string, { label, scopes, by, readBack }: Invitation, command: Command) =>
      propose(command, {
        ...{ action: 'credential.enrol', by },
        payload: { participant, label, scopes: scopes.split(','), ...(readBack === true && { read_back: true }) },
      }),
    )

  program
    .command('hash-profile <kid>')
    .description('ask for a key epoch that identifiers are hashed under')
    .addOption(
      new Option('--suite <suite>', 'hmac-sha256 gives every member the key: whoever has it can try identifiers out')
        .choices([...SUITES])
        .default(OPRF_SUITE),
    )
    .option('--days <n>', 'how long it runs; a year, or 90 days where members have the key')
    .option('--holder <file>', 'what aldis oprf-holder told of the part that it holds, where the key is split')
    .requiredOption('--by <person>', 'id of who asks')
    .action((kid: string, { suite, days, holder, by }: Epoch, command: Command) => {
      const from = Date.now()
      const length = Number(days ?? (suite === OPRF_SUITE ? OPRF_DAYS : HMAC_DAYS))
      const [not_before, not_after] = [from, from + length * 86_400_000].map(
        (at) => `${new Date(at).toISOString().slice(0, 19)}Z`,
      )
      const split = holder === undefined ? {} : { holder: holderIn(holder) }
      if (suite !== OPRF_SUITE)
        outputOf(command).warn('every member can try identifiers out under this key, and whoever leaves until it ends')
      return propose(command, {
        action: 'hash-profile.publish',
        by,
        payload: { kid, suite, not_before, not_after, ...split },
      })
    })

  program
    .command('quota <participant>')
    .description('ask for another number of identifiers that a participant may have evaluated in a day')
    .addOption(new Option('--purpose <purpose>').choices([...EVALUATION_PURPOSES]).makeOptionMandatory())
    .requiredOption('--per-day <n>', 'identifiers a day')
    .requiredOption('--by <person>', 'id of who asks')
    .action((participant: string, { purpose, perDay, by }: Quota, command: Command) =>
      propose(command, { action: 'quota.change', by, payload: { participant, purpose, per_day: Number(perDay) } }),
    )
}

export async function propose(
  command: Command,
  asked: { action: ActionName; by: string; payload: unknown },
): Promise<void> {
  const { action, by, payload } = asked
  const request = await withParticipants((service) => service.propose(action, payload, idOf(by)))
  const { request_id, digest, expires_at } = request
  outputOf(command).data(
    { request: request_id, action, digest, expires_at },
    `request ${request_id}  ${action}  ${request.payload}\nanother person approves it by: aldis approve ${request_id} --by PERSON`,
  )
}

function approvals(program: Command): void {
  program
    .command('requests')
    .description('acts that wait for another person')
    .action(async (_options: object, command: Command) => {
      const open = await withParticipants((service) => service.openRequests())
      const rows = open.map(({ request_id, action, payload, requested_by }) => [
        request_id,
        action,
        requested_by,
        payload,
      ])
      outputOf(command).data({ requests: open }, rows.length === 0 ? 'no open requests' : columns(rows))
    })

  for (const [name, done] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    program
      .command(`${name} <request>`)
      .description(`${name} an act that another person asked for`)
      .requiredOption('--by <person>', 'your id')
      .action(async (request: string, { by }: By, command: Command) => {
        // Whoever runs this has signed in to the machine just now or is still there.
        await withParticipants((service) => service[name](idOf(request), idOf(by), systemClock()))
        outputOf(command).data({ request, [done]: true }, `${done} ${request}`)
      })
  }

  program
    .command('execute <request>')
    .description('carry out an approved act, once')
    .requiredOption('--by <person>', 'your id')
    .action(async (request: string, { by }: By, command: Command) => {
      const { action, result } = await withParticipants((service) => service.execute(idOf(request), idOf(by)))
      // Opening the parts carries it out.
      if (action === 'log.rotate') await withParts(async () => {})
      const text = Object.entries((result ?? {}) as Record<string, string>).map(([name, value]) => `${name}  ${value}`)
      outputOf(command).data({ request, action, result }, [`done: ${action}`, ...text].join('\n'))
    })
}
