/** To the letter: clients compare it whole. */
export const TAXII_TYPE = 'application/taxii+json;version=2.1'
export const STIX_TYPE = 'application/stix+json;version=2.1'

/** Whether an `Accept` header takes our type: with its version or without one, as one of several, or as anything. */
export function accepts(header: string | undefined): boolean {
  if (header === undefined || header.trim() === '') return true
  return header.split(',').some((one) => {
    const [type = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
    if (parameters.some((part) => /^q=0(?:\.0{0,3})?$/.test(part))) return false
    if (type === '*/*' || type === 'application/*') return true
    return type === 'application/taxii+json' && hasOurVersion(parameters)
  })
}

/** Whether a body is of our type. */
export function isTaxii(header: string | undefined): boolean {
  const [type = '', ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase())
  return type === 'application/taxii+json' && hasOurVersion(parameters)
}

function hasOurVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((part) => part.startsWith('version='))?.slice(8)
  return version === undefined || version === '2.1' || version === '"2.1"'
}
