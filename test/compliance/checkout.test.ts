// The suite, with checkouts: here too where a mount could be had.

import { compliance } from './suite.ts'

await compliance('checkout', {
  skip: false,
  killAt: ['profile:linked', 'checkout:staged', 'checkout:flushed', 'checkout:placed'],
})
