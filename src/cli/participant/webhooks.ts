import type { Command } from 'commander'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { columns } from '../output.ts'
import { type Session, withSession } from './session.ts'

export function webhookCommands(program: Command): void {
  const group = program.command('webhooks').description('where our systems are told that our feeds grew')

  group
    .command('list')
    .description('endpoints, and hosts that the operator enrolled for us')
    .action((_options: object, command: Command) => withSession(command, list))
  group
    .command('add <url>')
    .description('have a host of ours posted to; the secret is shown once')
    .requiredOption('--feed <label...>', 'feeds by label or id; * for all that we read')
    .action((url: string, { feed }: { feed: string[] }, command: Command) =>
      withSession(command, (session) => add(session, url, feed)),
    )
  group
    .command('test <endpoint>')
    .description('post a message that says nothing')
    .action((endpoint: string, _options: object, command: Command) =>
      withSession(command, ({ client, output }) =>
        client.webhooks.test(idOf(endpoint), newId(new Date())).then((told) => output.data(told, told.message)),
      ),
    )
  group
    .command('deliveries <endpoint>')
    .description('what was posted there, and what became of it')
    .action((endpoint: string, _options: object, command: Command) =>
      withSession(command, (session) => deliveries(session, idOf(endpoint))),
    )
  group
    .command('redeliver <endpoint> <message>')
    .description('post a message again, under the same id')
    .action((endpoint: string, message: string, _options: object, command: Command) =>
      withSession(command, ({ client, output }) =>
        client.webhooks.redeliver(idOf(endpoint), message).then((told) => output.data(told, told.message)),
      ),
    )
  group
    .command('rotate <endpoint>')
    .description('replace the secret; messages are signed by the former one too for a day')
    .action((endpoint: string, _options: object, command: Command) =>
      withSession(command, (session) => rotate(session, idOf(endpoint))),
    )
  group
    .command('end <endpoint>')
    .description('post nothing there any more')
    .action((endpoint: string, _options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.webhooks.end(idOf(endpoint))
        output.data({ endpoint, ended: true }, `ended ${endpoint}`)
      }),
    )
}

async function list({ client, output }: Session): Promise<void> {
  const told = await client.webhooks.list()
  const rows = told.endpoints.map(({ endpoint, url, kinds, feeds, secret_no }) => [
    ...[endpoint, url, kinds.join(' '), `${feeds.length} feeds`, `secret ${secret_no}`],
  ])
  if (output.json || rows.length > 0) output.data(told, columns(rows))
  output.say(`hosts: ${told.hosts.length === 0 ? 'none; ask the operator for WEBHOOK_HOSTS' : told.hosts.join(', ')}`)
  output.say(`v1a is verified by ${told.public_key}`)
}

async function add({ client, output }: Session, url: string, wanted: readonly string[]): Promise<void> {
  const { feeds } = await client.feeds()
  const named = feeds.filter(({ feed, label }) => wanted.some((one) => one === '*' || one === feed || one === label))
  const missing = wanted.find((one) => one !== '*' && !feeds.some(({ feed, label }) => one === feed || one === label))
  if (missing !== undefined || named.length === 0)
    throw new Refusal('not-found', { detail: `no such feed; there are ${feeds.map(({ label }) => label).join(', ')}` })
  const told = await client.webhooks.add(newId(new Date()), { url, feeds: named.map(({ feed }) => feed) })
  output.data(told, `${told.endpoint}\n${told.secret}`)
  output.say('nobody is shown the secret again; aldis webhooks test tries it')
}

async function deliveries({ client, output }: Session, endpoint: Uuid): Promise<void> {
  const told = await client.webhooks.deliveries(endpoint)
  const rows = told.deliveries.map(({ message, kind, made_at, attempts, next_at, delivered_at, fault }) => [
    ...[message, kind, made_at, `${attempts} attempts`],
    delivered_at !== null ? 'taken' : next_at !== null ? `again ${next_at}` : 'given up',
    fault ?? '',
  ])
  if (output.json || rows.length > 0) output.data(told, columns(rows))
  else output.say('nothing was posted there yet')
}

async function rotate({ client, output }: Session, endpoint: Uuid): Promise<void> {
  const { endpoints } = await client.webhooks.list()
  const present = endpoints.find((one) => one.endpoint === endpoint)
  if (present === undefined)
    throw new Refusal('not-found', { detail: 'aldis webhooks list tells those that are there' })
  const told = await client.webhooks.rotate(endpoint, present.secret_no + 1)
  output.data(told, told.secret)
}

function idOf(text: string): Uuid {
  if (!isUuid(text))
    throw new Refusal('validation-failed', { detail: 'an endpoint is named by its id: aldis webhooks list' })
  return text
}
