import type { Command } from 'commander'
import { openSigningKey } from '../../client/signing-key.ts'
import { toBase64Url } from '../../kernel/bytes.ts'
import { signingKeyProof } from '../../participants/schema.ts'
import { type Session, withSession } from './session.ts'

export function rotateCommand(program: Command): void {
  program
    .command('rotate')
    .description('replace our signing key: once to propose the next one, once more after it was confirmed')
    .action((_options: object, command: Command) => withSession(command, rotate))
}

async function rotate(session: Session): Promise<void> {
  const { home, client, member, output } = session
  const text = home.nextSigningKey()
  const [next, current] = [openSigningKey(text), home.signingKey()]
  const { nonce } = await client.signingKeyNonce()
  const data = signingKeyProof(nonce, next.kid)
  const { status } = await client.registerSigningKey({
    ...{ jwk: next.jwk, nonce, proof: toBase64Url(await next.sign(data)) },
    previous: { kid: current.kid, proof: toBase64Url(await current.sign(data)) },
  })
  if (status === 'active') home.rotated({ signing: text, kid: next.kid })
  const says =
    status === 'active'
      ? `we sign with ${next.kid} from now on; the old key verifies what came before`
      : `key ${next.kid} waits for two administrators: aldis propose signing-key.confirm '{"participant":"${member.participant}","kid":"${next.kid}"}'; then run aldis rotate again`
  output.data({ kid: next.kid, status }, says)
}
