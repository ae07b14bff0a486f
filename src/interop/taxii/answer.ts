import { CATALOGUE, type Refusal } from '../../kernel/errors.ts'
import { instantText } from './instant.ts'
import { STIX_TYPE, TAXII_TYPE } from './media-type.ts'
import type { TaxiiAnswer, TaxiiRecord } from './port.ts'

export function taxiiAnswer(
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): TaxiiAnswer {
  const own = { 'content-type': TAXII_TYPE, 'cache-control': 'no-store', ...headers }
  return { status, headers: own, body: Buffer.from(JSON.stringify(value)) }
}

/** The protocol's own error; its status is a text. */
export function taxiiError(refusal: Refusal, requestId: string): TaxiiAnswer {
  const { code, status, detail, retryAfter, extra } = refusal
  const value = {
    title: CATALOGUE[code][1],
    ...(detail === undefined ? {} : { description: detail }),
    ...{ error_id: requestId, error_code: code, http_status: String(status) },
    ...(Object.keys(extra).length === 0 ? {} : { details: extra }),
  }
  const answer = taxiiAnswer(status, value, {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="aldis", charset="UTF-8"' } : {}),
  })
  return { ...answer, code }
}

/** A list is left out where it would be empty. */
const listed = (name: string, list: readonly unknown[]): object => (list.length === 0 ? {} : { [name]: list })

export type PageForm = 'objects' | 'manifest' | 'versions'

/** A page; `next` wherever there is more, since clients that get none begin again from the start. */
export function pageAnswer(form: PageForm, records: readonly TaxiiRecord[], next: string | undefined): TaxiiAnswer {
  const value = { ...(next === undefined ? {} : { more: true, next }), ...contentOf(form, records) }
  const [first, last] = [records[0], records.at(-1)]
  if (first === undefined || last === undefined) return taxiiAnswer(200, value)
  return taxiiAnswer(200, value, {
    'x-taxii-date-added-first': instantText(first.added),
    'x-taxii-date-added-last': instantText(last.added),
  })
}

function contentOf(form: PageForm, records: readonly TaxiiRecord[]): object {
  if (form === 'objects')
    return listed(
      'objects',
      records.map(({ object }) => object),
    )
  if (form === 'versions')
    return listed(
      'versions',
      records.map(({ version }) => version),
    )
  return listed(
    'objects',
    records.map(({ object, added, version }) => ({
      ...{ id: object.id, date_added: instantText(added), version, media_type: STIX_TYPE },
    })),
  )
}
