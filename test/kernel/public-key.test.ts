import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { expect, test } from 'vitest'
import { weaknessOf } from '../../src/kernel/public-key.ts'

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).publicKey
const rsa = (modulusLength: number): KeyObject => generateKeyPairSync('rsa', { modulusLength }).publicKey

test.for<[name: string, key: () => KeyObject, verdict: 'strong' | 'weak']>([
  ['P-256', () => ec('P-256'), 'strong'],
  ['P-384', () => ec('P-384'), 'strong'],
  ['P-521', () => ec('P-521'), 'weak'],
  ['secp256k1', () => ec('secp256k1'), 'weak'],
  ['Ed25519', () => generateKeyPairSync('ed25519').publicKey, 'strong'],
  ['Ed448', () => generateKeyPairSync('ed448').publicKey, 'weak'],
  ['X25519', () => generateKeyPairSync('x25519').publicKey, 'weak'],
  ['RSA of 2,048 bits', () => rsa(2_048), 'weak'],
  ['RSA of 3,072 bits', () => rsa(3_072), 'strong'],
])('%s', ([, key, verdict]) => {
  expect(weaknessOf(key()) === undefined ? 'strong' : 'weak').toBe(verdict)
})
