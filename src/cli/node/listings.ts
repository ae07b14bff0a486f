import type { Command } from 'commander'
import { columns, outputOf } from '../output.ts'
import { withParts } from './open.ts'

const REFUSALS_MAX = 1_000

/** What an administrator looks up before acting: who is in, with which keys, and which key epochs run. */
export function listingCommands(program: Command): void {
  program
    .command('participants')
    .description('who takes part, with their TLS credentials and signing keys')
    .action((_options: object, command: Command) => listParticipants(command))

  program
    .command('hash-profiles')
    .description('key epochs of hashed identifiers')
    .action((_options: object, command: Command) => listHashProfiles(command))

  program
    .command('refusals')
    .description('connections that were refused before any request, by minute, place and reason')
    .option('--limit <n>', 'how many', '50')
    .action(({ limit }: { limit: string }, command: Command) => listRefusals(command, Number(limit)))
}

async function listParticipants(command: Command): Promise<void> {
  const found = await withParts(({ participants }) => participants.directory())
  const listed = found.map(({ participant_id: _, slug, credentials, signing_keys, ...one }) => ({
    ...{ participant: slug, name: one.name, kind: one.kind, status: one.status, groups: one.groups },
    admitted_at: one.admitted_at.toISOString(),
    agreement: one.agreement?.version ?? null,
    credentials: credentials.map(({ credential, label, status, scopes, spki, not_after, ends }) => ({
      ...{ credential, label, status, scopes, spki, not_after: not_after.toISOString() },
      /** The fewest of 60, 30, 14, 7 and 1 days that are left; `good` before them, `ended` after. */
      ends,
    })),
    signing_keys: signing_keys.map(({ kid, alg, status, not_after }) => ({
      ...{ kid, alg, status, not_after: not_after.toISOString() },
    })),
  }))
  const rows = listed.flatMap(({ participant, name, kind, status, credentials, signing_keys }) => [
    [participant, kind, status, name],
    ...credentials.map((one) => [
      ...['', 'tls', one.status],
      `${one.credential}  until ${one.not_after}${typeof one.ends === 'number' ? `  within ${one.ends} d` : ''}`,
    ]),
    ...signing_keys.map((one) => ['', one.alg, one.status, `${one.kid}  until ${one.not_after}`]),
  ])
  outputOf(command).data({ participants: listed }, rows.length === 0 ? 'no participants yet' : columns(rows))
}

async function listHashProfiles(command: Command): Promise<void> {
  const listed = await withParts(async ({ authority }) =>
    authority.hashProfiles().map(({ kid, suite, status, not_before, not_after }) => ({
      ...{ kid, suite, status, not_before: not_before.toISOString(), not_after: not_after.toISOString() },
    })),
  )
  const rows = listed.map((one) => [one.kid, one.suite, one.status, `${one.not_before} to ${one.not_after}`])
  outputOf(command).data({ hash_profiles: listed }, rows.length === 0 ? 'no key epochs yet' : columns(rows))
}

async function listRefusals(command: Command, limit: number): Promise<void> {
  const newest = await withParts(({ handshakes }) => handshakes.newest(Math.min(Math.max(1, limit || 1), REFUSALS_MAX)))
  const listed = newest.map(({ minute, ...row }) => ({ minute: minute.toISOString(), ...row }))
  const rows = listed.map(({ minute, address, reason, count }) => [minute, String(count), address, reason])
  outputOf(command).data({ refusals: listed }, rows.length === 0 ? 'nobody was refused' : columns(rows))
}
