import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { claimedRoles, readProviders } from '../../src/console/providers.ts'
import { StartRefused } from '../../src/kernel/errors.ts'

const dir = mkdtempSync(join(tmpdir(), 'aldis-providers-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
writeFileSync(join(dir, 'secret'), 's3cr3t-value\n')
writeFileSync(join(dir, 'empty'), '\n')

const apple = {
  name: 'apple',
  label: 'Apple Social',
  issuer: 'https://id.apple.example',
  client_id: 'aldis',
  client_secret_file: 'secret',
  roles_claim: 'aldis_roles',
  step_up_acr: 'urn:apple:mfa',
}

function read(content: unknown) {
  const path = join(dir, 'providers.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return readProviders(path)
}

function faultOf(content: unknown): string {
  try {
    read(content)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(StartRefused)
    return (error as Error).message
  }
}

describe('the file of identity providers', () => {
  test('is read with the secret that it names, beside it', () => {
    expect(read({ providers: [apple] })).toMatchObject([{ name: 'apple', clientSecret: 's3cr3t-value', ca: undefined }])
  })
  test.for([
    ['/providers/0/issuer', { ...apple, issuer: 'http://id.apple.example' }],
    ['/providers/0/name', { ...apple, name: 'Not A Slug' }],
    ['/providers/0/step_up_acr', { ...apple, step_up_acr: undefined }],
    ['/providers/0/password', { ...apple, password: 'x' }],
    ['/providers/0/client_secret_file', { ...apple, client_secret_file: 'empty' }],
    ['/providers/0/client_secret_file', { ...apple, client_secret_file: 'absent' }],
    ['/providers/0/roles', { ...apple, roles: { admins: 'root' } }],
  ] as const)('stops the start at %s', ([pointer, provider]) => {
    const fault = faultOf({ providers: [provider] })
    expect(fault).toContain('OIDC_PROVIDERS')
    expect(fault).toContain(pointer)
    expect(fault).not.toContain('s3cr3t')
  })
  test('names none twice, and is JSON', () => {
    expect(faultOf({ providers: [apple, { ...apple, name: 'banana' }] })).toContain('one issuer')
    expect(faultOf({ providers: [] })).toContain('/providers')
    expect(faultOf('{"providers": [], "providers": []}')).toContain('strict JSON')
  })
})

describe('the roles of a token', () => {
  const plain = { rolesClaim: 'r', roles: undefined }
  test.for([
    [{ r: ['analyst', 'lead', 'king'] }, ['lead', 'analyst']],
    [{ r: 'analyst' }, ['analyst']],
    [{ r: { analyst: true } }, []],
    [{ r: [['analyst'], 7, null] }, []],
    [{}, []],
  ] as const)('of %j are %j', ([claims, roles]) => {
    expect(claimedRoles(plain, claims)).toEqual(roles)
  })
  test('are those that the settings say the values mean', () => {
    const mapped = { rolesClaim: 'groups', roles: { 'g-17': 'analyst' } } as const
    expect(claimedRoles(mapped, { groups: ['g-17', 'lead', 'constructor'] })).toEqual(['analyst'])
  })
})
