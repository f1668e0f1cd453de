// ACL on the processor: what host code of an Ascend program calls.
#pragma once

#include <acl/acl_base.h>
#include <acl/acl_rt.h>

inline aclError aclInit(const char*) {
    if (port_ascend::acl().initialised) return ACL_ERROR_REPEAT_INITIALIZE;
    port_ascend::acl().initialised = true;
    return ACL_SUCCESS;
}

inline aclError aclFinalize() {
    if (!port_ascend::acl().initialised) return ACL_ERROR_UNINITIALIZE;
    port_ascend::acl().initialised = false;
    return ACL_SUCCESS;
}
