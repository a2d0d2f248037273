/* The API's description, served at /openapi.json. Generated from openapi.yaml by the build. */
#ifndef BOOKFLOW_OPENAPI_H
#define BOOKFLOW_OPENAPI_H

extern const char openapi_document[];

#endif
