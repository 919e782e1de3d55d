// Newer libraries keep these signatures under this name, so one source fits 1.10 to 1.14.
#define H5_USE_110_API
#include <hdf5.h>

// Macros that hold an expression do not import into Swift; each has an accessor here.

static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_all(void) { return H5S_ALL; }
static inline hid_t chdf5_error_stack(void) { return H5E_DEFAULT; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_attribute_create(void) { return H5P_ATTRIBUTE_CREATE; }
static inline hid_t chdf5_link_create(void) { return H5P_LINK_CREATE; }

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
