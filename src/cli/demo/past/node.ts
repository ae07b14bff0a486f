import { type Addresses, createNode } from '../../../app.ts'
import { enroll, makeTlsKey } from '../../../client/enroll.ts'
import { type Home, openHome } from '../../../client/home.ts'
import { makeSigningKey, openSigningKey } from '../../../client/signing-key.ts'
import type { Config } from '../../../config.ts'
import { ensureEpochKeys, openBase } from '../../../core.ts'
import { stop } from '../../../http/shutdown.ts'
import type { Uuid } from '../../../kernel/ids.ts'
import { createLog } from '../../../kernel/log.ts'
import type { ActionName, PayloadOf } from '../../../participants/action.ts'
import type { Scope } from '../../../participants/schema.ts'
import { init } from '../../node/init.ts'
import { personOf } from '../../node/person.ts'
import { PROGRAMME } from '../programme.ts'
import type { DrivenClock } from './clock.ts'
import { turnLoops } from './turned.ts'

/** A node in this process, whose clock is driven. */
export interface DrivenNode {
  readonly at: Addresses
  readonly admin: Uuid
  /** Proposed by one administrator, approved by whoever has to, and carried out. */
  decide<A extends ActionName>(action: A, payload: PayloadOf<A>): Promise<unknown>
  addPerson(text: string): Promise<Uuid>
  grant(person: Uuid, role: 'partner_admin' | 'lead' | 'analyst'): Promise<void>
  /** Enrols a key of a participant over the listener; a signing key that is there is kept. */
  enrol(slug: string, dir: string, scopes: readonly Scope[]): Promise<Home>
  /** All that is due by now is done, entered, carried on and signed. */
  settle(): Promise<void>
  /** From now on its loops run by themselves: its clock is the time. */
  run(): void
  end(): Promise<void>
}

/** What ends a node that is asked for nothing any more may take, milliseconds. */
const REQUESTS_MS = 5_000

export async function startDriven(config: Config, { clock }: DrivenClock): Promise<DrivenNode> {
  const [ada, bea] = PROGRAMME.admins
  const people = { admins: [personOf(ada), personOf(bea)], governance: personOf(PROGRAMME.governance) } as const
  const { slug, trust_domain, node_origin } = PROGRAMME
  const made = await init(config, { slug, trust_domain, node_origin, ...people }, clock)
  const { governance: governor } = made
  const [admin, second] = made.admins
  if (admin === undefined || second === undefined || governor === null) throw new Error('the programme lacks people')
  const log = createLog({ level: config.logLevel })
  const loops = turnLoops()
  const base = await openBase({ config, clock, log })
  const node = await createNode(base, log, { startBackground: loops.start, driven: true }).catch(
    async (error: unknown) => {
      await base.close()
      throw error
    },
  )
  const at = await node.listen()
  const { participants } = node.parts

  const decide: DrivenNode['decide'] = async (action, payload) => {
    const { request_id } = await participants.propose(action, payload, admin)
    const approver = BY_ADMINS.has(action) ? second : governor
    await participants.approve(request_id, approver, clock())
    return (await participants.execute(request_id, admin)).result
  }
  return {
    ...{ at, admin, decide },
    addPerson: async (text) => (await participants.addPerson(admin, personOf(text))).person_id,
    grant: (person, role) => participants.grantRole(admin, { person, role }),
    async enrol(participant, dir, scopes) {
      const { code } = (await decide('credential.enrol', { participant, label: 'main', scopes: [...scopes] })) as {
        code: string
      }
      return enrolled(openHome(dir), { code, at })
    },
    async settle() {
      await ensureEpochKeys(base.keys, clock())
      await loops.settle()
    },
    run: () => loops.run(),
    async end() {
      const clean = await stop(node.shutdown, { log, noticeMs: 0, requestsMs: REQUESTS_MS })
      if (!clean) throw new Error('the node did not stop cleanly')
    },
  }
}

/** What administrators decide between themselves; anything else is approved by who governs. */
const BY_ADMINS: ReadonlySet<ActionName> = new Set(['credential.enrol'])

async function enrolled(home: Home, { code, at }: { code: string; at: Addresses }): Promise<Home> {
  const [tls, signing] = [await makeTlsKey(), home.signingSecret() ?? makeSigningKey()]
  const given = await enroll({ origin: at.enrol, code, tls, signing: openSigningKey(signing) })
  const { participant, uri, programme, kid, certificate, ca, node } = given
  const membership = {
    participant,
    uri,
    kid,
    node: at.partner,
    node_origin: programme.node_origin,
    programme: programme.slug,
  }
  home.enrolled({ membership, key: tls.key, signing, certificate, ca, node })
  return home
}
