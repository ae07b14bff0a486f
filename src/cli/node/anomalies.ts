import { type Command, Option } from 'commander'
import { CLOSE_REASONS, type CloseReason } from '../../anomalies/schema.ts'
import type { AnomalyCase } from '../../anomalies/service.ts'
import { RULES } from '../../anomalies/thresholds.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { PAUSE_REASONS } from '../../participants/action.ts'
import type { Parts } from '../../parts.ts'
import { columns, outputOf } from '../output.ts'
import { type By, propose } from './acts.ts'
import { idOf } from './ids.ts'
import { withParts } from './open.ts'
import { expectGovernance } from './registers.ts'

/** What rules found unusual, and what two persons may do about it. */
export function anomalyCommands(program: Command): void {
  const anomalies = program
    .command('anomalies')
    .description('what rules found unusual in the counts of the log, each with its threshold and what is usual')
    .option('--look', 'apply the rules to today and yesterday first')
    .action(async ({ look = false }: { look?: boolean }, command: Command) => {
      const cases = await withParts(async (parts) => {
        if (look) await parts.anomalies.look()
        return parts.anomalies.list()
      })
      outputOf(command).data({ cases }, cases.length === 0 ? 'nothing unusual was found' : columns(cases.map(rowOf)))
    })
  anomalies
    .command('look <case>')
    .description('say that somebody looks at a case')
    .requiredOption('--by <person>', 'id of somebody of governance')
    .action((id: string, { by }: By, command: Command) =>
      move(command, by, ({ anomalies: all }, person) => all.lookAt(person, idOf(id))),
    )
  anomalies
    .command('close <case>')
    .description('end a case')
    .addOption(new Option('--reason <code>').choices([...CLOSE_REASONS]).makeOptionMandatory())
    .option('--note <text>', 'for governance; needed where the reason is other')
    .requiredOption('--by <person>', 'id of somebody of governance')
    .action((id: string, { by, ...of }: By & { reason: CloseReason; note?: string }, command: Command) =>
      move(command, by, ({ anomalies: all }, person) => all.close(person, idOf(id), of)),
    )
  anomalies
    .command('hold <source>')
    .description('ask to hold the live signals of a source since a moment; another person approves it')
    .requiredOption('--since <instant>', 'such as 2026-11-20T00:00:00Z')
    .requiredOption('--by <person>', 'id of who asks')
    .action((participant: string, { by, since }: By & { since: string }, command: Command) =>
      propose(command, { action: 'source.hold', by, payload: { participant, since } }),
    )
  anomalies
    .command('release <source>')
    .description('ask to release everything that was held so')
    .requiredOption('--by <person>', 'id of who asks')
    .action((participant: string, { by }: By, command: Command) =>
      propose(command, { action: 'source.release', by, payload: { participant } }),
    )
  feedPauses(anomalies)
}

/** Feeds that give nothing out until two persons resume them. */
function feedPauses(anomalies: Command): void {
  anomalies
    .command('feeds')
    .description('feeds of audiences: how many members and entries a pause would be about, and which are paused')
    .action(async (_options: object, command: Command) => {
      const feeds = await withParts(({ participants }) => participants.pausableFeeds())
      const rows = feeds.map(({ feed, kind, label, members, entries, paused }) => [
        ...[feed, kind, label, `${members.length} members`, `${entries} entries`],
        paused === undefined ? '' : `paused since ${paused.at.toISOString()}: ${paused.reason}`,
      ])
      outputOf(command).data({ feeds }, rows.length === 0 ? 'no feeds yet' : columns(rows))
    })
  anomalies
    .command('pause <feed>')
    .description('ask that a feed gives nothing out, to nobody; another person approves it')
    .addOption(new Option('--reason <code>').choices([...PAUSE_REASONS]).makeOptionMandatory())
    .requiredOption('--by <person>', 'id of who asks')
    .action((feed: string, { by, reason }: By & { reason: string }, command: Command) =>
      propose(command, { action: 'feed.pause', by, payload: { feed, reason } }),
    )
  anomalies
    .command('resume <feed>')
    .description('ask that a paused feed goes on')
    .requiredOption('--by <person>', 'id of who asks')
    .action((feed: string, { by }: By, command: Command) =>
      propose(command, { action: 'feed.resume', by, payload: { feed } }),
    )
}

/** By somebody of governance, as the console has it. */
async function move(command: Command, by: string, work: (parts: Parts, person: Uuid) => Promise<void>): Promise<void> {
  const person = idOf(by)
  await withParts(async (parts) => {
    await expectGovernance(parts, person)
    await work(parts, person)
  })
  outputOf(command).data({ done: true }, 'done')
}

const rowOf = ({ id, day, subject, rule, measured, baseline, threshold, state }: AnomalyCase): string[] => [
  ...[id, day, state, subject, RULES[rule].title],
  `${measured} ${RULES[rule].unit}; usual ${baseline}, told from ${threshold} on`,
]
