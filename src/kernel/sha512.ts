import { hash } from 'node:crypto'

export const sha512 = (data: Uint8Array | string): Buffer => hash('sha512', data, 'buffer')
