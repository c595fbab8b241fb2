//! Pictures of any size, to be looked at by models: black and white noise as PNG, so that no cache knows them and
//! nothing has to be compressed.
//!
//! *Invariant*: a picture is a function of (width, height, generator); decoders find every checksum right.

use rand::Rng;

/// Bytes of an uncompressed block of a deflate stream at most.
const BLOCK: usize = 65_535;

/// A picture as a `data:` address.
pub(crate) fn data_url(width: u32, height: u32, rng: &mut impl Rng) -> String {
    format!("data:image/png;base64,{}", base64(&png(width, height, rng)))
}

/// One bit per pixel, in stored blocks.
fn png(width: u32, height: u32, rng: &mut impl Rng) -> Vec<u8> {
    let row = width.div_ceil(8) as usize;
    let mut pixels = vec![0u8; (row + 1) * height as usize];
    rng.fill_bytes(&mut pixels);
    // Each row begins with its filter: none.
    pixels.iter_mut().step_by(row + 1).for_each(|filter| *filter = 0);
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // One bit of grey; the standard's only compression, filter set and no interlacing.
    header.extend([1, 0, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"IDAT", &stored(&pixels));
    chunk(&mut out, b"IEND", &[]);
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend((data.len() as u32).to_be_bytes());
    let from = out.len();
    out.extend(kind);
    out.extend(data);
    let sum = crc32(&out[from..]);
    out.extend(sum.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4).
fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = data.chunks(BLOCK).count();
    for (i, block) in data.chunks(BLOCK).enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(i + 1 == blocks));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(adler32(data).to_be_bytes());
    out
}

fn adler32(data: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = data.iter().fold((1, 0), step);
    (b << 16) | a
}

fn crc32(data: &[u8]) -> u32 {
    let bit = |sum: u32, _| if sum & 1 == 1 { 0xEDB8_8320 ^ (sum >> 1) } else { sum >> 1 };
    let byte = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), bit);
    !data.iter().fold(u32::MAX, byte)
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for group in data.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Dimension, rng};

    #[test]
    fn the_checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        let encoded = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn a_picture_has_its_size_its_chunks_and_its_own_noise() {
        let picture = |index| png(1000, 700, &mut rng(1, Dimension::Pictures, 0, 0, index));
        let one = picture(0);
        assert_eq!(&one[..8], b"\x89PNG\r\n\x1a\n");
        let (mut at, mut kinds) = (8, Vec::new());
        while at < one.len() {
            let length = u32::from_be_bytes(one[at..at + 4].try_into().unwrap()) as usize;
            let sum = u32::from_be_bytes(one[at + 8 + length..at + 12 + length].try_into().unwrap());
            assert_eq!(crc32(&one[at + 4..at + 8 + length]), sum);
            kinds.push(String::from_utf8(one[at + 4..at + 8].to_vec()).unwrap());
            at += 12 + length;
        }
        assert_eq!(kinds, ["IHDR", "IDAT", "IEND"]);
        assert_eq!((&one[16..20], &one[20..24]), (&1000u32.to_be_bytes()[..], &700u32.to_be_bytes()[..]));
        // 700 rows of 125 bytes and a filter, in two stored blocks.
        assert!(one.len() > 700 * 126 && one.len() < 700 * 126 + 100);
        assert_eq!((picture(0) == one, picture(1) == one), (true, false));
    }
}
