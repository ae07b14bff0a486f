import { canonicalDomain, domainExpressions } from '../identifiers/domain.ts'
import { findRawInLink } from '../identifiers/link-raw.ts'
import { linkHash } from '../identifiers/token.ts'
import { canonicalUrl, urlExpressions } from '../identifiers/url.ts'
import type { Hash } from '../kernel/bytes.ts'
import type { FieldError } from '../kernel/errors.ts'
import type { SignalItem } from './schema.ts'

const POINTER = '/value'
/** What a terminal or a page would act upon, or hide. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/**
 * What speaks against a raw value beside a signal: it is of a type that has none, it is not what the signal hashed, under the
 * scope that the signal says, or it looks like more than a link. Never quotes the value.
 */
export function valueFault(hash: Hash, item: SignalItem, value: string): FieldError | undefined {
  if (item.type !== 'url' && item.type !== 'domain')
    return { pointer: POINTER, code: 'value-mismatch', detail: 'a value is sealed beside a url or a domain alone' }
  if (UNSEEN.test(value))
    return { pointer: POINTER, code: 'value-mismatch', detail: 'it holds characters that cannot be seen; escape them' }
  const normal = item.type === 'url' ? canonicalUrl(value) : canonicalDomain(value)
  if (normal.outcome === 'refused') return { pointer: POINTER, code: 'value-mismatch', detail: normal.reason }
  const { sha256, scope } = item.value
  const expressions = item.type === 'url' ? urlExpressions(normal.canonical) : domainExpressions(normal.canonical)
  const hashed = expressions.some(
    (one) =>
      one.scope.host === scope.host && one.scope.path === scope.path && linkHash(hash, one.expression) === sha256,
  )
  if (!hashed) return { pointer: POINTER, code: 'value-mismatch', detail: 'the signal is of another link' }
  const found = item.type === 'url' ? findRawInLink(value, POINTER) : undefined
  if (found === undefined) return undefined
  return { pointer: POINTER, code: 'raw-identifier', detail: `looks like ${found.kind}: share the hash alone` }
}
