/* page_crc.h - CRC-32 of a page as Parquet and gzip have it (polynomial 0xedb88320), at the speed of reading it.
 *
 * Spec     parquet-format/README.md, Checksumming
 */
#ifndef FORMAT_PAGE_CRC_H
#define FORMAT_PAGE_CRC_H

#include "base/bytes.h"

uint32_t page_crc(struct bytes page);

#endif
