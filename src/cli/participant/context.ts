import { daysOf, TAXONOMY } from '../../client/defaults.ts'
import type { DeriveContext } from '../../client/derive.ts'
import type { OwnSigningKey } from '../../client/signing-key.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { AudienceInfo } from '../../participants/schema.ts'
import type { SignalItem } from '../../signals/schema.ts'
import type { Session } from './session.ts'

/** What a submission's items have in common, as the command line says it. */
export interface Common {
  audience?: string
  category: string
  severity: string
  confidence: string
  tlp: string
  handling: string
  basis: string
  region: string
  legalBasis: string
  surface: string
  /** Whether the node works it off while nobody is connected. */
  detach?: true
}

/** Audience and signing key of one run, and what its items have in common. */
export async function openHomeContext(
  session: Session,
  common: Common,
): Promise<{ key: OwnSigningKey; context: Omit<DeriveContext, 'epoch'>; audience: AudienceInfo }> {
  const { client, home } = session
  const audience = pickAudience((await client.audiences()).audiences, common.audience)
  return {
    audience,
    key: home.signingKey(),
    context: {
      audience: audience.audience,
      taxonomy: TAXONOMY,
      now: new Date(),
      defaults: {
        ...{ category: common.category, confidence: Number(common.confidence) },
        severity: common.severity as SignalItem['severity'],
        basis: common.basis as SignalItem['basis'],
        handling: common.handling as SignalItem['handling'],
        tlp: common.tlp as SignalItem['tlp'],
        context: {
          region: common.region,
          legal_basis: common.legalBasis,
          surface: common.surface as SignalItem['context']['surface'],
        },
      },
      days: daysOf,
    },
  }
}

function pickAudience(audiences: readonly AudienceInfo[], wanted: string | undefined): AudienceInfo {
  const found = audiences.filter(({ audience, label, kind }) =>
    wanted === undefined ? kind === 'programme' : audience === wanted || label === wanted,
  )
  const [one, ...more] = found
  if (one === undefined) throw new Refusal('audience-unknown', { detail: 'aldis doctor lists those that are there' })
  if (more.length > 0)
    throw new Refusal('audience-unknown', { detail: 'several audiences have this label; name one by its id' })
  return one
}
