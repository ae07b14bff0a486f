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
  const listed = await withParts(async ({ authority }) => {
    const credentials = Map.groupBy(authority.credentials(), ({ participant }) => participant)
    return authority.participants().map(({ participant_id, slug, name, kind, status }) => ({
      ...{ participant: slug, name, kind, status },
      credentials: (credentials.get(participant_id) ?? []).map((one) => ({
        ...{ credential: one.credential, status: one.status, scopes: one.scopes },
        not_after: one.not_after.toISOString(),
      })),
      signing_keys: authority.signingKeys(participant_id).map((key) => ({
        ...{ kid: key.kid, alg: key.alg, status: key.status, not_after: key.not_after.toISOString() },
      })),
    }))
  })
  const rows = listed.flatMap(({ participant, name, kind, status, credentials, signing_keys }) => [
    [participant, kind, status, name],
    ...credentials.map((one) => ['', 'tls', one.status, `${one.credential}  until ${one.not_after}`]),
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
