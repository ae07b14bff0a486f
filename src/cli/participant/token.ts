import { type Command, Option } from 'commander'
import { askForToken, clientAssertion } from '../../client/access.ts'
import { SCOPES, type Scope } from '../../participants/schema.ts'
import { type Session, withSession } from './session.ts'

export function tokenCommand(program: Command): void {
  program
    .command('token')
    .description('ask for an access token of ten minutes, which counts with our certificate alone')
    .addOption(new Option('--scope <scope...>', 'fewer than the credential has').choices(SCOPES))
    .option('--assert', 'prove ourselves by the signing key as well')
    .action((options: TokenOptions, command: Command) => withSession(command, (session) => tell(session, options)))
}

interface TokenOptions {
  scope?: Scope[]
  assert?: boolean
}

/** On standard output alone, to be taken by another program. */
async function tell({ client, home, output }: Session, { scope, assert = false }: TokenOptions): Promise<void> {
  const { credential, programme } = await client.whoami()
  const assertion = assert
    ? await clientAssertion({
        ...{ credential: credential.id, origin: programme.node_origin },
        ...{ key: home.signingKey(), now: new Date() },
      })
    : undefined
  const token = await askForToken(client.transport, {
    ...(scope !== undefined && { scopes: scope }),
    ...(assertion !== undefined && { assertion }),
  })
  output.data(token, token.access_token)
  output.say(`for ${token.expires_in} s: ${token.scope === '' ? 'nothing' : token.scope}`)
}
