/* s3_xml.h - the little of XML that S3's answers are made of. Private to store/.
 *
 * In       a whole document, from a server that need not be a friend
 * Out      every element at its end, with its own text: entities decoded, the text of its children left out
 * Accepts  elements, attributes (skipped), text, the five named entities and numbers of characters, CDATA, comments,
 *          processing instructions. A name's prefix ("s3:Key") is dropped
 * Refuses  DOCTYPE, so that there are no entities to grow; tags that do not match; what is cut off
 * Limits   XML_DEPTH_MAX, XML_PATH_MAX; memory: the text of the elements that are open
 * Fails    E_CORRUPT with the byte
 */
#ifndef STORE_S3_XML_H
#define STORE_S3_XML_H

#include "base/bytes.h"

enum { XML_DEPTH_MAX = 16, XML_PATH_MAX = 512 };

/* `path`: "ListBucketResult/Contents/Key". */
typedef void xml_element(void *context, const char *path, struct bytes text);
MUST_CHECK enum code xml_walk(struct bytes document, xml_element *each, void *context, struct error *err);

#endif
