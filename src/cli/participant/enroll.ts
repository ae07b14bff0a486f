import type { Command } from 'commander'
import { enroll, makeTlsKey } from '../../client/enroll.ts'
import { AldisError, VerificationFailed } from '../../client/errors.ts'
import { openSigningKey } from '../../client/signing-key.ts'
import { Refusal } from '../../kernel/errors.ts'
import { outputOf } from '../output.ts'
import { homeOf } from './session.ts'

export function enrollCommand(program: Command): void {
  program
    .command('enroll <code>')
    .description('exchange a one-time code for a certificate; the keys are made here and never leave')
    .requiredOption('--enrol-at <url>', "the node's enrolment listener, https://host:port")
    .requiredOption('--node <url>', "the node's partner listener, https://host:port")
    .action(async (code: string, { enrolAt, node }: { enrolAt: string; node: string }, command: Command) => {
      const home = homeOf(command)
      const tls = await makeTlsKey()
      // A home that signs already keeps its key: a new one would have to wait for confirmation (aldis rotate).
      const signing = home.signingKeyToEnrol()
      const result = await enroll({ origin: urlOf(enrolAt), code, tls, signing: openSigningKey(signing) }).catch(
        (error: unknown) => {
          if (!(error instanceof AldisError || error instanceof VerificationFailed)) outputOf(command).warn(NO_ANSWER)
          if (error instanceof AldisError && error.code === 'policy-refused') outputOf(command).warn(ENDED_KEY)
          throw error
        },
      )
      const { participant, uri, programme, kid, certificate, ca, node: keys, scopes, not_after, pin_not_after } = result
      const { node_origin, slug } = programme
      const membership = { participant, uri, node: urlOf(node), node_origin, programme: slug, kid }
      home.enrolled({ membership, key: tls.key, signing, certificate, ca, node: keys })
      const awaits_read_back = result.awaits_read_back === true
      const told = { ...{ participant, uri, programme: slug, kid, scopes, not_after, pin_not_after }, home: home.dir }
      outputOf(command).data(
        { ...told, ...(awaits_read_back && { awaits_read_back, fingerprint: tls.spki }) },
        [
          ...(awaits_read_back
            ? [`the key works once you have told an administrator, by telephone, its fingerprint  ${tls.spki}`]
            : []),
          `enrolled as ${uri}`,
          `signing key  ${kid}`,
          `certificate  until ${not_after}, renewed by itself; its key until ${pin_not_after}`,
          `folder       ${home.dir}`,
        ].join('\n'),
      )
    })
}

const NO_ANSWER =
  'no answer came: run it again. If the code was used by then, ask two administrators for a new one; what the folder had stays in use'

/** One that an enrolment without an answer was asked for with may have been ended since. */
const ENDED_KEY =
  'if the signing key has ended, and the folder has an enrol.signing.jwk: remove that file and run it again, which makes another'

function urlOf(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw new Refusal('validation-failed', { detail: 'an address of the node is https://host:port' })
  }
  return new URL(text).origin
}
