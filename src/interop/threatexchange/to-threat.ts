import type { SignalItem } from '../../signals/schema.ts'
import { isForPython } from './python-pattern.ts'

/** A value as clients of ThreatExchange keep it: they know one record of each type and indicator. */
export interface Threat {
  type: string
  indicator: string
  tags: readonly string[]
}

export type ThreatWithheld = 'no-form' | 'pattern-foreign'

export const HASH_TYPE: Readonly<Record<string, string>> = {
  ...{ pdq: 'HASH_PDQ', md5: 'HASH_MD5', sha1: 'HASH_SHA1', sha256: 'HASH_SHA256', photodna: 'HASH_PHOTODNA' },
  ...{ tmk: 'HASH_TMK', video_md5: 'HASH_VIDEO_MD5' },
}

/** What a signal is there, or why it is withheld. A value that is hashed with us stays so: under a name of ours. */
export function toThreat(item: SignalItem): Threat | { withheld: ThreatWithheld } {
  const tags = tagsOf(item)
  if (item.type === 'tactic' || item.type === 'relation') return { withheld: 'no-form' }
  if (item.type === 'keyword_pattern') return wordsThreat(item, tags)
  if (item.type === 'media_hash') {
    const { algorithm, hash } = item.value
    const type = HASH_TYPE[algorithm]
    if (type !== undefined) return { type, indicator: hash, tags }
    return { type: 'DEBUG_STRING', indicator: hash, tags: [`signal_type:${algorithm}`, ...tags] }
  }
  const own = [`signal_type:aldis_${item.type}`, ...tags]
  if (item.type === 'url' || item.type === 'domain')
    return { type: 'DEBUG_STRING', indicator: `sha256:${item.value.profile}:${item.value.sha256}`, tags: own }
  const { profile, kid, token } = item.value
  return { type: 'DEBUG_STRING', indicator: `v1:${profile}:${kid}:${token}`, tags: own }
}

function tagsOf({ category, context: { region, legal_basis, surface }, tlp }: SignalItem): string[] {
  const strict = tlp === 'amber+strict' ? ['tlp_amber_strict'] : []
  return [`aldis_category:${category}`, `aldis_context:${region}/${legal_basis}/${surface}`, ...strict]
}

/** The client asks for whole words and looks at case: other patterns go as expressions. */
function wordsThreat(
  { value }: Extract<SignalItem, { type: 'keyword_pattern' }>,
  tags: readonly string[],
): Threat | { withheld: ThreatWithheld } {
  const { kind, text, case_sensitive, whole_word, confusables } = value
  // How characters look is compared with us and nowhere else.
  if (confusables === true) return { withheld: 'pattern-foreign' }
  const trend = (term: string): Threat => ({
    ...{ type: 'TREND_QUERY', indicator: JSON.stringify({ and: [{ or: [term] }], not: [] }), tags },
  })
  if (kind === 'literal' && case_sensitive && whole_word) return trend(text)
  const expression = kind === 're2' ? text : text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  if (kind === 're2' && !isForPython(expression)) return { withheld: 'pattern-foreign' }
  const bounded = whole_word ? `\\b(?:${expression})\\b` : expression
  return trend(`regex-/${case_sensitive ? '' : '(?i)'}${bounded}/`)
}

export const SHARE_LEVEL: Readonly<Record<SignalItem['tlp'], string>> = {
  ...{ clear: 'WHITE', green: 'GREEN', amber: 'AMBER', 'amber+strict': 'AMBER', red: 'RED' },
}
export const THREAT_SEVERITY: Readonly<Record<SignalItem['severity'], string>> = {
  ...{ low: 'INFO', medium: 'WARNING', high: 'SEVERE', critical: 'APOCALYPSE' },
}
