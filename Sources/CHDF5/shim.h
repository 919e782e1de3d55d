// Newer libraries keep these signatures under this name, so one source fits 1.10 to 1.14.
#define H5_USE_110_API
#include <hdf5.h>

// Macros that hold an expression do not import into Swift; each has an accessor here.

static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_all(void) { return H5S_ALL; }
static inline hid_t chdf5_error_stack(void) { return H5E_DEFAULT; }
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }
static inline hsize_t chdf5_unlimited(void) { return H5S_UNLIMITED; }

static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_attribute_create(void) { return H5P_ATTRIBUTE_CREATE; }
static inline hid_t chdf5_link_create(void) { return H5P_LINK_CREATE; }
static inline hid_t chdf5_link_access(void) { return H5P_LINK_ACCESS; }

static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }
static inline size_t chdf5_variable_length(void) { return H5T_VARIABLE; }
static inline hid_t chdf5_uint8_little(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_int64_little(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_float32_little(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_float64_little(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_uint8_native(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_int64_native(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_float32_native(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_float64_native(void) { return H5T_NATIVE_DOUBLE; }

// Functions that newer headers replace by a versioned macro.

static inline herr_t chdf5_link_info(hid_t location, const char *name, H5L_info_t *info, hid_t access) {
    return H5Lget_info(location, name, info, access);
}
static inline herr_t chdf5_links(hid_t group, H5L_iterate_t visit, void *context) {
    return H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit, context);
}
static inline herr_t chdf5_attributes(hid_t object, H5A_operator2_t visit, void *context) {
    return H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit, context);
}
static inline herr_t chdf5_object_info(hid_t object, H5O_info_t *info) {
    return H5Oget_info2(object, info, H5O_INFO_BASIC | H5O_INFO_HDR);
}
