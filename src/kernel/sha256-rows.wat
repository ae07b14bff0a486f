;; SHA-256 (FIPS 180-4) of many messages of one length, four at a time: each lane of a vector belongs to another message.
;; Memory: the constants K at 0, the schedule at 256, the state at 1280, four messages at 2048, what is hashed behind 8192.
(module
  (memory (export "memory") 5)
  ;; Section 4.2.2, the lowest byte of each first.
  (data (i32.const 0)
    "\98\2f\8a\42\91\44\37\71\cf\fb\c0\b5\a5\db\b5\e9\5b\c2\56\39\f1\11\f1\59\a4\82\3f\92\d5\5e\1c\ab"
    "\98\aa\07\d8\01\5b\83\12\be\85\31\24\c3\7d\0c\55\74\5d\be\72\fe\b1\de\80\a7\06\dc\9b\74\f1\9b\c1"
    "\c1\69\9b\e4\86\47\be\ef\c6\9d\c1\0f\cc\a1\0c\24\6f\2c\e9\2d\aa\84\74\4a\dc\a9\b0\5c\da\88\f9\76"
    "\52\51\3e\98\6d\c6\31\a8\c8\27\03\b0\c7\7f\59\bf\f3\0b\e0\c6\47\91\a7\d5\51\63\ca\06\67\29\29\14"
    "\85\0a\b7\27\38\21\1b\2e\fc\6d\2c\4d\13\0d\38\53\54\73\0a\65\bb\0a\6a\76\2e\c9\c2\81\85\2c\72\92"
    "\a1\e8\bf\a2\4b\66\1a\a8\70\8b\4b\c2\a3\51\6c\c7\19\e8\92\d1\24\06\99\d6\85\35\0e\f4\70\a0\6a\10"
    "\16\c1\a4\19\08\6c\37\1e\4c\77\48\27\b5\bc\b0\34\b3\0c\1c\39\4a\aa\d8\4e\4f\ca\9c\5b\f3\6f\2e\68"
    "\ee\82\8f\74\6f\63\a5\78\14\78\c8\84\08\02\c7\8c\fa\ff\be\90\eb\6c\50\a4\f7\a3\f9\be\f2\78\71\c6")

  ;; The words of one block of each of four messages, $stride bytes apart, as the first sixteen of the schedule.
  (func $words (param $at i32) (param $stride i32)
    (local $to i32) (local $m i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $ab v128) (local $cd v128)
    (local.set $to (i32.const 256))
    (loop $next
      (local.set $a (v128.load (local.tee $m (local.get $at))))
      (local.set $b (v128.load (local.tee $m (i32.add (local.get $m) (local.get $stride)))))
      (local.set $c (v128.load (local.tee $m (i32.add (local.get $m) (local.get $stride)))))
      (local.set $d (v128.load (i32.add (local.get $m) (local.get $stride))))
      ;; Big-endian words, turned from four of a message into one of each.
      (local.set $ab (i8x16.shuffle 3 2 1 0 19 18 17 16 7 6 5 4 23 22 21 20 (local.get $a) (local.get $b)))
      (local.set $cd (i8x16.shuffle 3 2 1 0 19 18 17 16 7 6 5 4 23 22 21 20 (local.get $c) (local.get $d)))
      (v128.store offset=0 (local.get $to)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
      (v128.store offset=16 (local.get $to)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
      (local.set $ab (i8x16.shuffle 11 10 9 8 27 26 25 24 15 14 13 12 31 30 29 28 (local.get $a) (local.get $b)))
      (local.set $cd (i8x16.shuffle 11 10 9 8 27 26 25 24 15 14 13 12 31 30 29 28 (local.get $c) (local.get $d)))
      (v128.store offset=32 (local.get $to)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
      (v128.store offset=48 (local.get $to)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 64))) (i32.const 512)))))

  ;; One block of each, from the words of the schedule onto the state.
  (func $compress
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $e v128) (local $f v128) (local $g v128) (local $h v128)
    (local $x v128) (local $y v128) (local $at i32)
    ;; Section 6.2.2 step 1: W(t) = s1(W(t-2)) + W(t-7) + s0(W(t-15)) + W(t-16).
    (loop $next
      (local.set $x (v128.load offset=272 (local.get $at)))
      (local.set $y (v128.load offset=480 (local.get $at)))
      (v128.store offset=512 (local.get $at)
        (i32x4.add
          (i32x4.add (v128.load offset=256 (local.get $at)) (v128.load offset=400 (local.get $at)))
          (i32x4.add
            (v128.xor
              (v128.xor
                (v128.or (i32x4.shr_u (local.get $x) (i32.const 7)) (i32x4.shl (local.get $x) (i32.const 25)))
                (v128.or (i32x4.shr_u (local.get $x) (i32.const 18)) (i32x4.shl (local.get $x) (i32.const 14))))
              (i32x4.shr_u (local.get $x) (i32.const 3)))
            (v128.xor
              (v128.xor
                (v128.or (i32x4.shr_u (local.get $y) (i32.const 17)) (i32x4.shl (local.get $y) (i32.const 15)))
                (v128.or (i32x4.shr_u (local.get $y) (i32.const 19)) (i32x4.shl (local.get $y) (i32.const 13))))
              (i32x4.shr_u (local.get $y) (i32.const 10))))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 768))))
    (local.set $a (v128.load (i32.const 1280)))
    (local.set $b (v128.load (i32.const 1296)))
    (local.set $c (v128.load (i32.const 1312)))
    (local.set $d (v128.load (i32.const 1328)))
    (local.set $e (v128.load (i32.const 1344)))
    (local.set $f (v128.load (i32.const 1360)))
    (local.set $g (v128.load (i32.const 1376)))
    (local.set $h (v128.load (i32.const 1392)))
    (local.set $at (i32.const 0))
    ;; Step 3. $x is T1, $y is T2; a constant takes 4 bytes and a word of the schedule 16.
    (loop $round
      (local.set $x
        (i32x4.add
          (i32x4.add
            (i32x4.add (local.get $h) (v128.load offset=256 (i32.shl (local.get $at) (i32.const 2))))
            (v128.load32_splat (local.get $at)))
          (i32x4.add
            (v128.xor
              (v128.xor
                (v128.or (i32x4.shr_u (local.get $e) (i32.const 6)) (i32x4.shl (local.get $e) (i32.const 26)))
                (v128.or (i32x4.shr_u (local.get $e) (i32.const 11)) (i32x4.shl (local.get $e) (i32.const 21))))
              (v128.or (i32x4.shr_u (local.get $e) (i32.const 25)) (i32x4.shl (local.get $e) (i32.const 7))))
            (v128.xor (local.get $g) (v128.and (local.get $e) (v128.xor (local.get $f) (local.get $g)))))))
      (local.set $y
        (i32x4.add
          (v128.xor
            (v128.xor
              (v128.or (i32x4.shr_u (local.get $a) (i32.const 2)) (i32x4.shl (local.get $a) (i32.const 30)))
              (v128.or (i32x4.shr_u (local.get $a) (i32.const 13)) (i32x4.shl (local.get $a) (i32.const 19))))
            (v128.or (i32x4.shr_u (local.get $a) (i32.const 22)) (i32x4.shl (local.get $a) (i32.const 10))))
          (v128.or
            (v128.and (local.get $a) (local.get $b))
            (v128.and (local.get $c) (v128.or (local.get $a) (local.get $b))))))
      (local.set $h (local.get $g))
      (local.set $g (local.get $f))
      (local.set $f (local.get $e))
      (local.set $e (i32x4.add (local.get $d) (local.get $x)))
      (local.set $d (local.get $c))
      (local.set $c (local.get $b))
      (local.set $b (local.get $a))
      (local.set $a (i32x4.add (local.get $x) (local.get $y)))
      (br_if $round (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 256))))
    (v128.store (i32.const 1280) (i32x4.add (local.get $a) (v128.load (i32.const 1280))))
    (v128.store (i32.const 1296) (i32x4.add (local.get $b) (v128.load (i32.const 1296))))
    (v128.store (i32.const 1312) (i32x4.add (local.get $c) (v128.load (i32.const 1312))))
    (v128.store (i32.const 1328) (i32x4.add (local.get $d) (v128.load (i32.const 1328))))
    (v128.store (i32.const 1344) (i32x4.add (local.get $e) (v128.load (i32.const 1344))))
    (v128.store (i32.const 1360) (i32x4.add (local.get $f) (v128.load (i32.const 1360))))
    (v128.store (i32.const 1376) (i32x4.add (local.get $g) (v128.load (i32.const 1376))))
    (v128.store (i32.const 1392) (i32x4.add (local.get $h) (v128.load (i32.const 1392)))))

  ;; Section 5.3.3: the state before the first block, the same in each lane.
  (func $start
    (v128.store (i32.const 1280) (i32x4.splat (i32.const 0x6a09e667)))
    (v128.store (i32.const 1296) (i32x4.splat (i32.const 0xbb67ae85)))
    (v128.store (i32.const 1312) (i32x4.splat (i32.const 0x3c6ef372)))
    (v128.store (i32.const 1328) (i32x4.splat (i32.const 0xa54ff53a)))
    (v128.store (i32.const 1344) (i32x4.splat (i32.const 0x510e527f)))
    (v128.store (i32.const 1360) (i32x4.splat (i32.const 0x9b05688c)))
    (v128.store (i32.const 1376) (i32x4.splat (i32.const 0x1f83d9ab)))
    (v128.store (i32.const 1392) (i32x4.splat (i32.const 0x5be0cd19))))

  ;; Four words of the state, of each message in one vector, as bytes of four digests: 16 of each at $to.
  (func $digests (param $from i32) (param $to i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $ab v128) (local $cd v128)
    (local.set $a (v128.load offset=0 (local.get $from)))
    (local.set $b (v128.load offset=16 (local.get $from)))
    (local.set $c (v128.load offset=32 (local.get $from)))
    (local.set $d (v128.load offset=48 (local.get $from)))
    (local.set $ab (i8x16.shuffle 3 2 1 0 19 18 17 16 7 6 5 4 23 22 21 20 (local.get $a) (local.get $b)))
    (local.set $cd (i8x16.shuffle 3 2 1 0 19 18 17 16 7 6 5 4 23 22 21 20 (local.get $c) (local.get $d)))
    (v128.store offset=0 (local.get $to)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
    (v128.store offset=32 (local.get $to)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
    (local.set $ab (i8x16.shuffle 11 10 9 8 27 26 25 24 15 14 13 12 31 30 29 28 (local.get $a) (local.get $b)))
    (local.set $cd (i8x16.shuffle 11 10 9 8 27 26 25 24 15 14 13 12 31 30 29 28 (local.get $c) (local.get $d)))
    (v128.store offset=64 (local.get $to)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
    (v128.store offset=96 (local.get $to)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd))))

  ;; Rows of $width bytes from $row to $end, each put at $place into the four messages of $stride bytes, which are padded
  ;; already; their digests at $out. There is room for the rows and digests that fill the last four.
  (func (export "rows")
    (param $row i32) (param $end i32) (param $width i32) (param $place i32) (param $stride i32) (param $out i32)
    (local $at i32)
    (loop $four
      (local.set $at (i32.const 2048))
      (memory.copy (i32.add (local.get $place) (local.get $at)) (local.get $row) (local.get $width))
      (local.set $row (i32.add (local.get $row) (local.get $width)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (memory.copy (i32.add (local.get $place) (local.get $at)) (local.get $row) (local.get $width))
      (local.set $row (i32.add (local.get $row) (local.get $width)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (memory.copy (i32.add (local.get $place) (local.get $at)) (local.get $row) (local.get $width))
      (local.set $row (i32.add (local.get $row) (local.get $width)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (memory.copy (i32.add (local.get $place) (local.get $at)) (local.get $row) (local.get $width))
      (local.set $row (i32.add (local.get $row) (local.get $width)))
      (call $start)
      (local.set $at (i32.const 0))
      (loop $block
        (call $words (i32.add (i32.const 2048) (local.get $at)) (local.get $stride))
        (call $compress)
        (br_if $block (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $stride))))
      (call $digests (i32.const 1280) (local.get $out))
      (call $digests (i32.const 1344) (i32.add (local.get $out) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (br_if $four (i32.lt_u (local.get $row) (local.get $end))))))
