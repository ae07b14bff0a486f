import { Compile } from 'typebox/compile'
import { toHex } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ActContext } from './act.ts'
import { AgreementPolicy, type PolicyKind } from './schema.ts'
import * as store from './store.ts'

/** A version that two persons published, and the entry of the log that names it. */
export interface ListedPolicy {
  kind: PolicyKind
  version: number
  /** SHA-256 of its bytes, hex. */
  digest: string
  published_at: Date
  event: Uuid
  /** Exactly the bytes. */
  body: string
  /** Of a version of the agreement. */
  agreement: AgreementPolicy | undefined
}

export interface PolicyList {
  /** Every version of every policy, the newest first. */
  policies(): Promise<ListedPolicy[]>
}

const AGREEMENT = Compile(AgreementPolicy)

export const createPolicyList = ({ app }: Pick<ActContext, 'app'>): PolicyList => ({
  policies: async () =>
    (await store.policies(app)).map(({ kind, version, digest, body, published_at, last_event }) => ({
      ...{ kind: kind as PolicyKind, version, body, published_at, digest: toHex(digest), event: last_event },
      agreement: kind === 'agreement' ? agreementIn(body) : undefined,
    })),
})

function agreementIn(body: string): AgreementPolicy | undefined {
  const value: unknown = JSON.parse(body)
  return AGREEMENT.Check(value) ? value : undefined
}
