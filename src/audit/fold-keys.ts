import type { Entry } from './entry.ts'
import { codeRow, credentialRow, type Fold, keyRow, moveTo, type Programme, type Row, type Told } from './programme.ts'
import { replacedBy } from './replaces.ts'

/** What an enrolment leaves a signing key in. */
const SIGNING: ReadonlyMap<string, string> = new Map([
  ['sign:pending', 'pending'],
  ['sign:active', 'active'],
])

const enrolled: Fold = (programme, told, entry) => {
  const { text, texts } = told
  const [id, participant, use] = [text('credential'), text('subject'), text('use')]
  if (use === 'code') {
    programme.codes.set(id, { participant, scopes: texts('scopes'), to: text('to'), tries: 0, used: null })
    return codeRow(programme, id)
  }
  // Nothing but the code is changed before its fingerprint is read back.
  if (use === 'presented') return usedCode(programme, told)
  const span = { from: Date.parse(text('from')), to: Date.parse(text('to')) }
  if (use === 'tls') {
    const [spki, scopes] = [text('spki'), texts('scopes')]
    programme.credentials.set(id, { participant, spki, scopes, status: 'active', ...span })
    return [...credentialRow(programme, id), ...replaceCredentials(programme, entry), ...usedCode(programme, told)]
  }
  const status = SIGNING.get(use)
  if (status === undefined) return []
  const name = `${participant} ${id}`
  programme.keys.set(name, { key: text('key'), status, ...span })
  return [...keyRow(programme, name), ...replaceKeys(programme, participant, entry)]
}

function usedCode(programme: Programme, { text, at }: Told): Row[] {
  const id = text('code')
  const known = programme.codes.get(id)
  if (known === undefined) return []
  programme.codes.set(id, { ...known, used: at })
  return codeRow(programme, id)
}

function replaceCredentials(programme: Programme, entry: Entry): Row[] {
  const { keys, to } = replacedBy(programme, entry)
  return keys.flatMap((id) => {
    const known = programme.credentials.get(id)
    if (known !== undefined) programme.credentials.set(id, { ...known, to })
    return credentialRow(programme, id)
  })
}

function replaceKeys(programme: Programme, participant: string, entry: Entry): Row[] {
  const { keys, to } = replacedBy(programme, entry)
  return keys.flatMap((kid) => {
    const name = `${participant} ${kid}`
    const known = programme.keys.get(name)
    if (known !== undefined) programme.keys.set(name, { ...known, to })
    return keyRow(programme, name)
  })
}

const revoked: Fold = (programme, { text, since }) => {
  const [id, participant] = [text('credential'), text('subject')]
  if (text('use') === 'tls') {
    const known = programme.credentials.get(id)
    if (known !== undefined) programme.credentials.set(id, moveTo(known, 'revoked', since))
    return credentialRow(programme, id)
  }
  const name = `${participant} ${id}`
  const known = programme.keys.get(name)
  const status = text('reason') === 'compromised' ? 'compromised' : 'retired'
  if (known !== undefined) programme.keys.set(name, moveTo(known, status, since))
  return keyRow(programme, name)
}

const tried: Fold = (programme, { text }, { fields }) => {
  const id = text('code')
  const known = programme.codes.get(id)
  if (known === undefined) return []
  programme.codes.set(id, { ...known, tries: Number(fields.get('amount')) })
  return codeRow(programme, id)
}

/** Codes and keys, as entries make and end them. */
export const KEY_FOLDS: Readonly<Record<string, Fold>> = {
  'credential.enrolled': enrolled,
  'credential.revoked': revoked,
  'anomaly.acted': tried,
}
