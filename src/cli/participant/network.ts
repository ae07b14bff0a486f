import type { Command } from 'commander'
import type { NetworkResult } from '../../feeds/schema.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { columns } from '../output.ts'
import { type Session, withSession } from './session.ts'

type Member = NetworkResult['members'][number]

export function networkCommand(program: Command): void {
  program
    .command('network')
    .description('list the signals that relations tie to a signal, and who states them; a logged read')
    .argument('<signal>', 'the id of a signal that we may see')
    .action((signal: string, _: unknown, command: Command) =>
      withSession(command, (session) => {
        if (!isUuid(signal)) throw new StartRefused('the argument is the id of a signal')
        return tellNetwork(session, signal)
      }),
    )
}

async function tellNetwork(session: Session, signal: Uuid): Promise<void> {
  const { output } = session
  let members = 0
  let after: Uuid | undefined
  do {
    const page = await pageAfter(session, signal, after)
    if (page.hub) {
      output.data({ signal, hub: true }, `${signal}  a hub: more relations than a network is made of`)
      return
    }
    if (output.json) for (const member of page.members) output.data(member, '')
    else if (page.members.length > 0) output.data({}, columns(page.members.flatMap(rowsOf)))
    members += page.members.length
    after = page.next ?? undefined
  } while (after !== undefined)
  output.say(`${members} signals are related to it; the read is recorded in the log`)
}

async function pageAfter({ client, home }: Session, signal: Uuid, after: Uuid | undefined): Promise<NetworkResult> {
  const { read, digest, ...page } = await client.network(signal, after === undefined ? {} : { after })
  home.noteRead(read, digest)
  return page
}

const rowsOf = ({ signal, signals, relations }: Member): string[][] =>
  relations.map(({ relation, direction, first_seen, last_seen, stated_by }) => [
    direction === 'out' ? `${relation} ->` : `<- ${relation}`,
    signal,
    signals.map(({ source, type }) => `${type} of ${source}`).join(', '),
    `${first_seen} to ${last_seen}`,
    `stated by ${[...new Set(stated_by.map(({ source }) => source))].join(', ')}`,
  ])
