import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { pinOfRequest } from '../../src/participants/certificate-request.ts'

// Made by OpenSSL 3.0 (`openssl req -new`); pins by `openssl pkey -pubout -outform DER | sha256sum`. Keys were thrown away.
const P256 = `-----BEGIN CERTIFICATE REQUEST-----
MIHKMHICAQAwEDEOMAwGA1UEAwwFYXBwbGUwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAARdzqVXjePzrq2uoiMBpLB3j08dW6F9XhHqn1MoKfG6jcu0RlB2rqW9wVra
xrbML/0Iukp1NuSUcwro+x6DWfikoAAwCgYIKoZIzj0EAwIDSAAwRQIgQ+do75Fk
1tGpboMA4koovXl+MgVlcD6zHLeZ6vzKDh4CIQCxBLP+GENkxw6e9tQ/EBb1nPD/
IS2LLY9uNk7yUJGH8w==
-----END CERTIFICATE REQUEST-----
`
const ED25519 = `-----BEGIN CERTIFICATE REQUEST-----
MIGPMEMCAQAwEDEOMAwGA1UEAwwFYXBwbGUwKjAFBgMrZXADIQAjqbrGPFEdWDCI
eAsrP1qhZPjA69sqSw6wdB+QgTt0yKAAMAUGAytlcANBACAhtbMb4dWeTX/1z2xP
HtzKhN1aIRu8//OZGbrfzUbXPDXysTT7xqf6yhNmnjESo8ec3jqLuO5kHvS0IC2R
9ww=
-----END CERTIFICATE REQUEST-----
`
const P521 = `-----BEGIN CERTIFICATE REQUEST-----
MIIBUjCBtQIBADAQMQ4wDAYDVQQDDAVhcHBsZTCBmzAQBgcqhkjOPQIBBgUrgQQA
IwOBhgAEAKB0S7d3S9rIHvRgTG1I03XPLR/NwJqf/8FjnCojI3BSyAOUCWsgemcZ
WRkvWeVTxyLFM4ZSK13HYV4Ju2G4Sw43AT7t9fRbw5uEDYywEWrvXgR2FX9WJMXy
ZHYjzeWaZdIAH2KhOxxsDmyBf9ob35swrNpMLzVfiWnayN1MqC1EuPDuoAAwCgYI
KoZIzj0EAwIDgYsAMIGHAkEeBp62PmHEppNRGgp1qXRSyGjCqxY++8R76O0BxptR
e7XZjDZyWlXSuocMRGrs7lugxQwOZE9dttrPYAQoenrlnQJCAVY4t0VmaTA0qKGb
j2gIflBjQHF3wKdsgOguj/Yogr2q8e/84JrxhbLx2UJ7wSOGkymU9K9d7ba8n0+S
jPaqQgsv
-----END CERTIFICATE REQUEST-----
`
const RSA2048 = `-----BEGIN CERTIFICATE REQUEST-----
MIICVTCCAT0CAQAwEDEOMAwGA1UEAwwFYXBwbGUwggEiMA0GCSqGSIb3DQEBAQUA
A4IBDwAwggEKAoIBAQDAFhb6DUU+iyzANLO930gDDCNNaZuGn+Lc7Fijbhg7x2dX
1rlZya9JFVJrAVTsWgK95/EeNiUqU/jmg4pvshveW/X88Doz1b9UzmGNFrX0PiNI
z/Ki3bb6yPoHK5RY8KGNCZ/QUdmFpsp8EMNAIG1f71GRDSe/bFc0zUfO3f6Aznr2
QZPtceI4s6cylZNsS+2jnyzHNjhmsmYvzImQvFA7ArSjSNzrkzbcs4AUabZ+So4K
ePXgtETEmixGIPB2iFxfZB0+aYx+snyHWmU6f1i5TyzGcnJjRCYWjjqq6lH2bXJM
C6+4pQgwf8DA1TZJCi4FOk0T9GHv0cDmbdDSvQ8zAgMBAAGgADANBgkqhkiG9w0B
AQsFAAOCAQEApLiOfwCt++VDautMndb62UKO++PxMR6Mz1p2jvETxK/aWDwQ7EVS
3sLQoHE6SW1NIQD8tmNeSAdQiOXwsLkGjltVpsE6rZ4V2TaOiLWW+A2PSRXeXFVu
9JoCslkbE5pMVNpAS7Nvt5wnJYhp6p9kvxLWWm2ouQpDA5WWOwYLZsb7AOYYjRIN
nF6UwM/QwUlkvZR5mDWGeTgyk3oyZzlFSHR0h5hj+jUdN+GiOhwfeANCnxlzMOsP
AJ/OZJUd72xUizcpmUzayVCsvCfrTS90WfxNxT9wUM2OY8PdrMGaK8wufxhV4pZV
yuJaAjJwlKdEPXOzXbHb4oUvWWanGQicFA==
-----END CERTIFICATE REQUEST-----
`

test('the pin is the SHA-256 of the SubjectPublicKeyInfo', async () => {
  expect(toHex(await pinOfRequest(P256))).toBe('2c1734a77ec94c4a1ea548f9421e5cc52f47cad0e5d8eea810c0aa4960ed676c')
  expect(toHex(await pinOfRequest(ED25519))).toBe('9b924a2236eef224889c0f4f9bcaf09bc2f82355f2f3bcab2ce316c77724c7fb')
})

describe('is refused:', () => {
  const swapped = (pem: string, from: string, to: string): string => {
    expect(pem).toContain(from)
    return pem.replace(from, to)
  }
  const faults: readonly [name: string, pem: () => string, detail: string][] = [
    ['a curve that is not served', () => P521, 'use P-256'],
    ['RSA of 2,048 bits', () => RSA2048, 'use P-256'],
    ['another name than was signed', () => swapped(P256, 'YXBwbGUw', 'YXBwbGYw'), 'not signed by its own key'],
    ['another signature', () => swapped(ED25519, '9ww=', '9wA='), 'not signed by its own key'],
    ['a certificate', () => P256.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'), 'PEM certificate request'],
    ['half of one', () => `${P256.slice(0, 200)}\n-----END CERTIFICATE REQUEST-----`, 'PEM certificate request'],
    ['nothing', () => '', 'PEM certificate request'],
    ['text', () => 'apple', 'PEM certificate request'],
  ]
  test.for(faults)('%s', async ([, pem, detail]) => {
    await expect(pinOfRequest(pem())).rejects.toMatchObject({
      code: 'certificate-request-refused',
      detail: expect.stringContaining(detail),
    })
  })
})
