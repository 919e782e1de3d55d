#include <cblas.h>

// LAPACK as OpenBLAS exports it (Fortran calling convention, 32-bit integers).
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *anorm, double *rcond,
             double *work, int *iwork, int *info);
void dpstrf_(const char *uplo, const int *n, double *a, const int *lda, int *piv, int *rank,
             const double *tol, double *work, int *info);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info);
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);

// Exported by OpenBLAS's DYNAMIC_ARCH builds, not in its header: pick the kernels again.
void gotoblas_dynamic_init(void);
void gotoblas_dynamic_quit(void);
